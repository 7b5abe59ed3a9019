//! The minimum IAM policies for a run.
//!
//! `sts:GetCallerIdentity` needs no permission. The actions in an account and of AWS Organizations do not support
//! resource-level permissions, except those on recorders, which are called without a recorder name, and those on units.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsconfig.html>

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use crate::aws::partition::Partition;
use crate::model::RoleName;
use crate::options::{AccountOptions, Options, actions, organization_actions};

/// The principal of a run of many accounts that a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal {
    /// The caller, whose credentials the run finds.
    Caller,
    /// The role in each account.
    Member,
    /// The role that lists the accounts of the organization.
    Organization,
}

/// The account ID in a trust policy, which AWS rejects until it is replaced.
const CALLER_ACCOUNT: &str = "CALLER_ACCOUNT_ID";

const PROGRAM: &str = env!("CARGO_PKG_NAME");

/// A policy document, with its members in the usual order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyDocument {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Value>,
    action: Vec<String>,
    #[serde(skip_serializing_if = "Value::is_null")]
    resource: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Value>,
}

/// A role: its trust policy and its permissions policy.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RolePolicies {
    trust_policy: PolicyDocument,
    permissions_policy: PolicyDocument,
}

/// Returns the policy for a run of one account with `options`, as JSON.
#[must_use]
pub fn policy(options: &Options) -> String {
    render(&PolicyDocument::new(vec![Statement::allow(
        actions(options),
        "*".into(),
    )]))
}

/// Returns the policy of `principal` as JSON: for a role, its trust policy and its permissions policy.
#[must_use]
pub fn policy_for(principal: Principal, options: &Options, accounts: &AccountOptions) -> String {
    let arn = format!("arn:{}:iam::{CALLER_ACCOUNT}:root", partition(options));
    let external_id = external_id(principal, accounts);
    let condition = external_id.map(|id| json!({"StringEquals": {"sts:ExternalId": id}}));
    let permissions_policy = permissions(principal, options, accounts, partition(options));
    match principal {
        Principal::Caller => render(&permissions_policy),
        Principal::Member | Principal::Organization => render(&RolePolicies {
            trust_policy: trust(&json!(arn), condition),
            permissions_policy,
        }),
    }
}

/// Returns a CloudFormation template with the policy or the role of `principal`, as JSON.
#[must_use]
pub fn template(principal: Principal, options: &Options, accounts: &AccountOptions) -> String {
    let document = permissions(principal, options, accounts, "${AWS::Partition}");
    render(&match principal {
        Principal::Caller => json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": format!("Policy of the caller of {PROGRAM}"),
            "Resources": {"Policy": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"PolicyDocument": with_partition(json!(document))},
            }},
            "Outputs": {"PolicyArn": {"Value": {"Ref": "Policy"}}},
        }),
        Principal::Member => role_template(
            "Role with which resources are counted in this account",
            Some(&accounts.role),
            Some(external_id(principal, accounts).unwrap_or_default()),
            &document,
        ),
        Principal::Organization => role_template(
            "Role that lists the accounts of the organization",
            organization_role(accounts).as_ref(),
            None,
            &document,
        ),
    })
}

/// Returns a template with a role; with an `external_id`, which may be empty, the template has a parameter for it.
fn role_template(
    purpose: &str,
    role: Option<&RoleName>,
    external_id: Option<&str>,
    permissions: &PolicyDocument,
) -> Value {
    let arn = json!({"Fn::Sub": "arn:${AWS::Partition}:iam::${TrustedAccountId}:root"});
    let condition = external_id.map(|_| {
        let condition = json!({"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}});
        json!({"Fn::If": ["HasExternalId", condition, {"Ref": "AWS::NoValue"}]})
    });
    let mut properties = json!({
        "Description": format!("Used by {PROGRAM}; allows only to read"),
        "AssumeRolePolicyDocument": trust(&arn, condition),
        "Policies": [{"PolicyName": PROGRAM, "PolicyDocument": permissions}],
    });
    if let Some(role) = role {
        let (path, name) = role.path_and_name();
        properties["Path"] = path.into();
        properties["RoleName"] = name.into();
    }
    let mut template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("{purpose} ({PROGRAM})"),
        "Parameters": {"TrustedAccountId": {
            "Type": "String",
            "Description": "ID of the account whose users and roles may assume this role",
            "AllowedPattern": "[0-9]{12}",
        }},
        "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}},
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
    });
    if let Some(external_id) = external_id {
        template["Parameters"]["ExternalId"] = json!({
            "Type": "String",
            "Description": "External ID that the caller has to send (--external-id); empty for none",
            "Default": external_id,
            "AllowedPattern": "[a-zA-Z0-9_+=,.@:/-]*",
            "MaxLength": 1224,
        });
        let is_empty = json!({"Fn::Equals": [{"Ref": "ExternalId"}, ""]});
        template["Conditions"] = json!({"HasExternalId": {"Fn::Not": [is_empty]}});
    }
    template
}

/// Returns the permissions policy of `principal`.
fn permissions(
    principal: Principal,
    options: &Options,
    accounts: &AccountOptions,
    partition: &str,
) -> PolicyDocument {
    let organization_role = accounts.organization_role.as_ref();
    let mut allowed = match principal {
        Principal::Caller | Principal::Member => actions(options),
        Principal::Organization => Vec::new(),
    };
    let lists = match principal {
        Principal::Caller => organization_role.is_none(),
        Principal::Member => false,
        Principal::Organization => true,
    };
    if lists {
        allowed.extend(organization_actions(accounts));
    }
    let mut statements = vec![Statement::allow(allowed, "*".into())];
    if principal == Principal::Caller {
        let named = accounts
            .selection
            .only
            .iter()
            .flat_map(|only| only.values());
        // A role of each account of a list replaces that of the options.
        let roles = named.clone().flatten().cloned();
        let mut roles: BTreeSet<RoleName> = roles.collect();
        if named.clone().next().is_none() || named.clone().any(Option::is_none) {
            roles.insert(accounts.role.clone());
        }
        let roles = roles
            .iter()
            .map(|role| format!("arn:{partition}:iam::*:role/{role}"));
        let roles = roles.chain(organization_role.cloned());
        let assume = vec!["sts:AssumeRole".to_owned()];
        statements.push(Statement::allow(assume, roles.collect()));
    }
    PolicyDocument::new(statements)
}

/// Returns the external ID that the role of `principal` requires: the program sends it only to the roles in the accounts.
fn external_id(principal: Principal, accounts: &AccountOptions) -> Option<&str> {
    let external_id = accounts.external_id.as_deref();
    external_id.filter(|_| principal == Principal::Member)
}

/// Returns the name of the role that lists the accounts, if the options have it.
fn organization_role(accounts: &AccountOptions) -> Option<RoleName> {
    let (_, name) = accounts.organization_role.as_ref()?.split_once(":role/")?;
    name.parse().ok()
}

/// Replaces texts with a partition by the function that inserts it.
fn with_partition(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains("${AWS::Partition}") => json!({"Fn::Sub": text}),
        Value::Array(items) => items.into_iter().map(with_partition).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, with_partition(value)))
            .collect(),
        other => other,
    }
}

fn trust(principal: &Value, condition: Option<Value>) -> PolicyDocument {
    PolicyDocument::new(vec![Statement {
        effect: "Allow",
        principal: Some(json!({"AWS": principal})),
        action: vec!["sts:AssumeRole".to_owned()],
        resource: Value::Null,
        condition,
    }])
}

fn partition(options: &Options) -> &'static str {
    let region = options.region.as_ref();
    region.map_or("aws", |region| Partition::for_region(region).id)
}

fn render(value: &impl Serialize) -> String {
    // Neither maps with other keys than texts nor writers that fail.
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    format!("{text}\n")
}

impl PolicyDocument {
    fn new(statement: Vec<Statement>) -> Self {
        Self {
            version: "2012-10-17",
            statement,
        }
    }
}

impl Statement {
    fn allow(action: Vec<String>, resource: Value) -> Self {
        Self {
            effect: "Allow",
            principal: None,
            action,
            resource,
            condition: None,
        }
    }
}
