//! The names of organizational units.

use std::collections::BTreeMap;

use crate::aws::ops::list_organizational_units_for_parent::OrganizationalUnit;
use crate::secret::Redactor;

/// The maximum length of a name, in characters; AWS allows 128.
const MAX_NAME: usize = 200;

/// The names of organizational units by ID, or nothing if they are not known.
#[derive(Debug, Clone, Default)]
pub struct UnitNames(Option<BTreeMap<String, String>>);

impl UnitNames {
    /// Creates the names of `units`, each as one line; `redactor` removes credentials. A unit whose name cannot be a part of a
    /// path keeps its ID.
    #[must_use]
    pub fn new<'a>(
        units: impl Iterator<Item = &'a OrganizationalUnit>,
        redactor: &Redactor,
    ) -> Self {
        let name = |unit: &OrganizationalUnit| {
            let name = unit.name.redact(redactor).shown(MAX_NAME);
            let is_part = !name.trim().is_empty() && !name.contains('/');
            is_part.then(|| (unit.id.clone(), name))
        };
        Self(Some(units.filter_map(name).collect()))
    }

    /// Returns the path with the names, as `--ou` accepts it: `/Workloads/Prod` for `/r-ab12/ou-ab12-1/ou-ab12-2`, and `/`
    /// for the root. Returns `ids` if the names are not known.
    #[must_use]
    pub fn path(&self, ids: &str) -> String {
        let (Some(names), Some(ids_of_units)) = (&self.0, ids.strip_prefix('/')) else {
            return ids.to_owned();
        };
        let units = ids_of_units.split('/').filter(|id| !id.starts_with("r-"));
        let units = units.map(|id| names.get(id).map_or(id, String::as_str));
        format!("/{}", units.collect::<Vec<_>>().join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_has_names_or_ids() {
        let unit = |id: &str, name: &str| OrganizationalUnit {
            id: id.to_owned(),
            name: name.into(),
        };
        let units = [
            unit("ou-ab12-1", "Workloads"),
            unit("ou-ab12-2", "=a\u{1b}[2J\nb"),
            unit("ou-ab12-3", "a/b"),
            unit("ou-ab12-4", " "),
            unit("ou-ab12-5", "x the-key-of-a-test"),
        ];
        let redactor = Redactor::for_secret(&"the-key-of-a-test".into());
        let names = UnitNames::new(units.iter(), &redactor);
        for (ids, expected) in [
            ("/r-ab12/ou-ab12-1", "/Workloads"),
            ("/r-ab12/ou-ab12-1/ou-ab12-2", "/Workloads/=a\\u{1b}[2J b"),
            ("/r-ab12/ou-ab12-3", "/ou-ab12-3"),
            ("/r-ab12/ou-ab12-4", "/ou-ab12-4"),
            ("/r-ab12/ou-ab12-5", "/x ****"),
            ("/r-ab12/ou-ab12-1/ou-ab12-9", "/Workloads/ou-ab12-9"),
            ("/r-ab12", "/"),
            ("", ""),
        ] {
            assert_eq!(names.path(ids), expected, "{ids}");
            assert_eq!(UnitNames::default().path(ids), ids);
        }
    }
}
