//! A cell by its name: in text, on the command line and in files.

use std::fmt;
use std::str::FromStr;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::CellKind;
use crate::choice::named;
use crate::error::{Error, Result};

impl PartialEq for CellKind {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for CellKind {}

impl fmt::Display for CellKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for CellKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for CellKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        named("cell", Self::ALL, name)
    }
}

impl Serialize for CellKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for CellKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        /// Looks at a name where it lies: a stranger's may be as long as a file.
        struct Name;

        impl Visitor<'_> for Name {
            type Value = CellKind;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a cell")
            }

            fn visit_str<E: serde::de::Error>(
                self,
                name: &str,
            ) -> std::result::Result<CellKind, E> {
                let start = name.char_indices().nth(40).map_or(name.len(), |(at, _)| at);
                name[..start].parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_found_by_its_name_and_another_name_is_told_them_all() {
        for cell in CellKind::ALL {
            assert_eq!(cell.name().parse::<CellKind>().unwrap(), cell);
        }
        let error = "lstn".parse::<CellKind>().unwrap_err().to_string();
        let names = CellKind::ALL.map(CellKind::name).join(", ");
        assert_eq!(error, format!("cell must be one of {names}, got \"lstn\""));
    }
}
