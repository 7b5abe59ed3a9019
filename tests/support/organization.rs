//! A fake organization: its accounts, their roles, and AWS Organizations itself.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::account::Account;
use super::call::Call;
use super::reply::Reply;
use super::responder::Responder;
use super::server::Server;

/// The maximum number of accounts on a page.
///
/// <https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html>
const PAGE_SIZE: usize = 20;

/// The ID of the organization.
pub const ORGANIZATION: &str = "o-abcdefghij";

/// One account of an organization.
#[derive(Clone)]
pub struct OrganizationMember {
    /// The resources and regions.
    pub account: Account,
    /// The name.
    pub name: String,
    /// The state, such as `ACTIVE`.
    pub state: String,
    /// The IDs of the root and the organizational units above it; `None` for no `Paths` in the list.
    pub units: Option<Vec<String>>,
    /// True if the role can be assumed.
    pub has_role: bool,
}

/// A fake organization. The first account is the management account and the caller's.
#[derive(Clone, Default)]
pub struct Organization {
    /// The accounts.
    pub members: Vec<OrganizationMember>,
}

impl Organization {
    /// Creates an organization of `n` accounts; `account` returns the resources of each, by its number from 1.
    pub fn new(n: usize, account: impl Fn(usize) -> Account) -> Self {
        let member = |number: usize| {
            let mut account = account(number);
            account.id = Self::id(number);
            OrganizationMember {
                account,
                name: format!("team-{number}"),
                state: "ACTIVE".to_owned(),
                units: Some(vec!["r-ab12".to_owned(), "ou-ab12-11111111".to_owned()]),
                has_role: true,
            }
        };
        Self {
            members: (1..=n).map(member).collect(),
        }
    }

    /// Returns the ID of the account with this number, from 1.
    pub fn id(number: usize) -> String {
        format!("{:012}", 100_000_000_000 + number)
    }

    /// Returns the account with this number, from 1.
    pub fn member(&mut self, number: usize) -> &mut OrganizationMember {
        &mut self.members[number - 1]
    }

    /// Starts a server that acts as AWS for this organization.
    pub fn serve(&self) -> Server {
        self.serve_with(|_, _| None)
    }

    /// Starts a server that replies with `replies`, which gets the account of the credentials, and as AWS where it returns
    /// `None`.
    pub fn serve_with(
        &self,
        replies: impl Fn(&str, &Call) -> Option<Reply> + Send + Sync + 'static,
    ) -> Server {
        Server::new(self.handler(replies))
    }

    /// Starts a server whose responses take at least `latency`.
    pub fn serve_with_latency(&self, latency: Duration) -> Server {
        Server::with_latency(latency, self.handler(|_, _| None))
    }

    /// Returns the handler of a server that replies as [`Self::serve_with`] says.
    pub fn handler(
        &self,
        replies: impl Fn(&str, &Call) -> Option<Reply> + Send + Sync + 'static,
    ) -> impl Fn(&Call) -> Reply + Send + Sync + 'static {
        let responders: BTreeMap<String, Responder> = self
            .members
            .iter()
            .map(|member| (member.account.id.clone(), member.account.responder()))
            .collect();
        let organization = self.clone();
        move |call| {
            let account = organization.account_of(call);
            replies(&account, call).unwrap_or_else(|| match call.operation.as_str() {
                "AssumeRole" => organization.assume_role(call),
                "ListAccounts" => organization.list_accounts(call),
                _ => responders[&account].respond(call),
            })
        }
    }

    /// Returns the account of the credentials that signed a call.
    fn account_of(&self, call: &Call) -> String {
        let authorization = call.header("authorization").unwrap_or_default();
        let key = authorization
            .split("Credential=")
            .nth(1)
            .unwrap_or_default();
        let account = key.strip_prefix("ASIA").and_then(|key| key.get(..12));
        account.map_or_else(|| self.members[0].account.id.clone(), str::to_owned)
    }

    fn assume_role(&self, call: &Call) -> Reply {
        let arn = call.field("RoleArn").unwrap_or_default();
        let account = arn.split(':').nth(4).unwrap_or_default();
        let member = self.members.iter().find(|m| m.account.id == account);
        if member.is_some_and(|member| member.has_role) {
            assumed_role(account)
        } else {
            let message = format!(
                "User: arn:aws:iam::{}:user/auditor is not authorized to perform: sts:AssumeRole on resource: {arn}",
                self.members[0].account.id
            );
            Reply::error(call, 403, "AccessDenied", &message)
        }
    }

    fn list_accounts(&self, call: &Call) -> Reply {
        let first: usize = call
            .field("NextToken")
            .map_or(0, |token| token.parse().unwrap());
        let page = self.members.iter().skip(first).take(PAGE_SIZE);
        let accounts: Vec<Value> = page.map(|member| self.describe(member)).collect();
        let mut body = json!({ "Accounts": accounts });
        if first + PAGE_SIZE < self.members.len() {
            body["NextToken"] = (first + PAGE_SIZE).to_string().into();
        }
        Reply::json(&body)
    }

    fn describe(&self, member: &OrganizationMember) -> Value {
        let (id, management) = (&member.account.id, &self.members[0].account.id);
        let mut account = json!({
            "Id": id,
            "Arn": format!("arn:aws:organizations::{management}:account/{ORGANIZATION}/{id}"),
            "Email": format!("{id}@example.com"),
            "Name": member.name,
            "Status": "ACTIVE",
            "State": member.state,
            "JoinedMethod": "CREATED",
            "JoinedTimestamp": 1_700_000_000.5,
        });
        if let Some(units) = &member.units {
            account["Paths"] = json!([format!("{ORGANIZATION}/{}/{id}/", units.join("/"))]);
        }
        account
    }

    /// Returns the CSV of a run of these accounts without errors.
    pub fn csv(&self, numbers: &[usize]) -> String {
        let mut csv = "account,alias,region,resource_type,total\r\n".to_owned();
        for number in numbers {
            let rows = self.members[number - 1].account.csv();
            csv += rows.split_once("\r\n").map_or("", |(_, rows)| rows);
        }
        csv
    }
}

/// Returns the reply to AssumeRole with credentials of `account`.
pub fn assumed_role(account: &str) -> Reply {
    Reply::xml(format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <Credentials><AccessKeyId>ASIA{account}</AccessKeyId><SecretAccessKey>role-secret-of-{account}\
         </SecretAccessKey><SessionToken>role-token-of-{account}</SessionToken>\
         <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser>\
         <Arn>arn:aws:sts::{account}:assumed-role/r/s</Arn><AssumedRoleId>AROAX:s</AssumedRoleId>\
         </AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>"
    ))
}
