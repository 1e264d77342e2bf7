//! Reads fields of a JSON file with errors that name file, field, expected and found.

use super::error::ConvertError;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A JSON file, or an object within it.
pub(super) struct JsonFile {
    path: PathBuf,
    prefix: String,
    value: Value,
}

/// Reads a whole file.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, ConvertError> {
    std::fs::read(path).map_err(|source| ConvertError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Reads a JSON file into a type.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ConvertError> {
    serde_json::from_slice(&read_bytes(path)?).map_err(|source| ConvertError::Json {
        path: path.to_owned(),
        source,
    })
}

impl JsonFile {
    /// Reads `path`.
    pub fn read(path: PathBuf) -> Result<Self, ConvertError> {
        let value = read_json(&path)?;
        Ok(Self {
            path,
            prefix: String::new(),
            value,
        })
    }

    /// The object at `field`, where there is one.
    pub fn object(&self, field: &str) -> Option<Self> {
        let value = self
            .value
            .get(field)
            .filter(|value| value.is_object())?
            .clone();
        Some(Self {
            path: self.path.clone(),
            prefix: format!("{}{field}.", self.prefix),
            value,
        })
    }

    /// The object at `field`, or an error.
    pub fn need_object(&self, field: &str) -> Result<Self, ConvertError> {
        self.object(field)
            .ok_or_else(|| self.error(field, "an object"))
    }

    /// The value at `field`; `None` where it is absent or null.
    pub fn get<T: DeserializeOwned>(&self, field: &str) -> Result<Option<T>, ConvertError> {
        match self.value.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => serde_json::from_value(value.clone())
                .map(Some)
                .map_err(|_| self.error(field, std::any::type_name::<T>())),
        }
    }

    /// The value at `field`, or an error.
    pub fn need<T: DeserializeOwned>(&self, field: &str) -> Result<T, ConvertError> {
        self.get(field)?
            .ok_or_else(|| self.error(field, std::any::type_name::<T>()))
    }

    /// Refuses any value at `field` but those listed; absent and null pass.
    pub fn only(&self, field: &str, supported: &[Value]) -> Result<(), ConvertError> {
        match self.value.get(field) {
            None | Some(Value::Null) => Ok(()),
            Some(found) if supported.contains(found) => Ok(()),
            Some(_) => {
                let names: Vec<String> = supported.iter().map(Value::to_string).collect();
                Err(self.error(field, &names.join(" or ")))
            }
        }
    }

    /// The error of a wrong `field`.
    pub fn error(&self, field: &str, expected: &str) -> ConvertError {
        let found = self.value.get(field).map_or("nothing".to_owned(), |value| {
            value.to_string().chars().take(80).collect()
        });
        let (path, field) = (self.path.clone(), format!("{}{field}", self.prefix));
        ConvertError::Config {
            path,
            field,
            expected: expected.to_owned(),
            found,
        }
    }
}
