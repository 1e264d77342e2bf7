//! Reading fields out of damaged JSON objects, with a note on everything odd.

use serde_json::{Map, Value};

/// Texts longer than this are cut in warnings.
const MAX_SHOWN_CHARS: usize = 60;

/// Name of a JSON value's kind.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Reads fields out of JSON objects and notes what is odd. What cannot be read stays in the object.
#[derive(Default)]
pub(super) struct Notes(Vec<String>);

impl Notes {
    /// What was noted.
    pub(super) fn into_messages(self) -> Vec<String> {
        self.0
    }

    /// Notes something odd.
    pub(super) fn say(&mut self, message: String) {
        self.0.push(message);
    }

    /// Takes a field, also under a key that stray characters have damaged.
    pub(super) fn take(&mut self, object: &mut Map<String, Value>, key: &str) -> Option<Value> {
        let value = object.remove(key);
        if value.as_ref().is_some_and(|value| !value.is_null()) {
            return value;
        }
        // A null is as good as nothing, and not written again: a value under a damaged key goes before it.
        let wanted = letters(key);
        let Some(damaged) = object.keys().find(|found| letters(found) == wanted) else {
            return value;
        };
        let damaged = damaged.clone();
        self.say(format!("key {damaged:?} read as {key:?}"));
        object.remove(&damaged)
    }

    /// Takes a text that every task has.
    pub(super) fn text(&mut self, object: &mut Map<String, Value>, key: &str) -> Option<String> {
        let text = self.text_if_any(object, key);
        if text.is_none() {
            self.say(format!("{key} is missing"));
        }
        text
    }

    /// Takes a text; other scalars and shapes become their JSON text.
    pub(super) fn text_if_any(
        &mut self,
        object: &mut Map<String, Value>,
        key: &str,
    ) -> Option<String> {
        match self.take(object, key)? {
            Value::String(text) => Some(text),
            other => {
                self.say(format!("{key} is {}; read as its text", kind(&other)));
                Some(other.to_string())
            }
        }
    }

    /// The value of the one text field that is left: its key is damaged beyond recognition.
    pub(super) fn only_text(
        &mut self,
        object: &mut Map<String, Value>,
        point_id: &str,
    ) -> Option<String> {
        let mut texts = object.iter().filter(|(_, value)| value.is_string());
        let (key, value) = texts.next()?;
        if texts.next().is_some() {
            return None;
        }
        let (key, text) = (key.clone(), value.as_str().map(str::to_owned));
        self.say(format!(
            "point {point_id}: key {key:?} read as \"point_requirement\""
        ));
        object.remove(&key);
        text
    }

    /// Takes an object; empty where there is none.
    pub(super) fn object(
        &mut self,
        object: &mut Map<String, Value>,
        key: &str,
    ) -> Map<String, Value> {
        match self.take(object, key) {
            Some(Value::Object(inner)) => inner,
            other => {
                self.misplaced(object, key, "an object", other);
                Map::new()
            }
        }
    }

    /// Takes an array; empty where there is none.
    pub(super) fn array(&mut self, object: &mut Map<String, Value>, key: &str) -> Vec<Value> {
        match self.take(object, key) {
            Some(Value::Array(items)) => items,
            other => {
                self.misplaced(object, key, "an array", other);
                Vec::new()
            }
        }
    }

    /// Takes a whole number, also one written as text.
    pub(super) fn count(&mut self, object: &mut Map<String, Value>, key: &str) -> Option<u32> {
        let value = self.take(object, key);
        let number = value.as_ref().and_then(|value| match value {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_u64(),
        });
        let count = number.and_then(|number: u64| u32::try_from(number).ok());
        if count.is_none() {
            self.misplaced(object, key, "a count", value);
        }
        count
    }

    /// Takes a price in US dollars, with or without "$"; an unreadable one gives way to another under a damaged key.
    ///
    /// Else the task, written without the price that it has not, would have the other one when it is read again.
    pub(super) fn price(&mut self, object: &mut Map<String, Value>, key: &str) -> Option<f64> {
        let mut is_missing = true;
        while let Some(value) = self.take(object, key) {
            let price = match &value {
                Value::String(text) => parse_price(text),
                other => other.as_f64(),
            };
            match price.filter(|price| price.is_finite() && *price >= 0.0) {
                Some(price) => return Some(price),
                None => self.misplaced(object, key, "a price", Some(value)),
            }
            is_missing = false;
        }
        if is_missing {
            self.misplaced(object, key, "a price", None);
        }
        None
    }

    /// Keeps an unreadable value beside its field, so that it is not lost, and says so.
    fn misplaced(
        &mut self,
        object: &mut Map<String, Value>,
        key: &str,
        expected: &str,
        found: Option<Value>,
    ) {
        let Some(found) = found else {
            return self.say(format!("{key} is missing"));
        };
        let shown: String = found.to_string().chars().take(MAX_SHOWN_CHARS).collect();
        self.say(format!(
            "{key}: expected {expected}, found {shown}; kept unread"
        ));
        let mut unread = format!("{key} (unread)");
        while object.contains_key(&unread) {
            unread.push_str(" (unread)");
        }
        object.insert(unread, found);
    }
}

/// ASCII letters and digits of a key: what survives when stray characters fall into it.
fn letters(key: &str) -> String {
    key.chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase()
}

/// Reads `$5.42`, `5.42`, `US$ 1,200`, `5.42 USD`.
fn parse_price(text: &str) -> Option<f64> {
    let bare = text
        .trim()
        .trim_start_matches("US")
        .trim_start_matches(['$', '＄'])
        .trim_end_matches("USD")
        .trim();
    bare.replace(',', "").parse().ok()
}
