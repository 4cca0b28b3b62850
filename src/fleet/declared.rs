//! A keyed collection that keeps the order of the fleet file.

use indexmap::IndexMap;

/// A value that knows the key under which it is declared, so that key and value cannot disagree.
pub trait Keyed {
    /// The key as written in the fleet file.
    fn key(&self) -> &str;
}

/// Values by key, in the order of their declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared<T>(IndexMap<String, T>);

impl<T> Default for Declared<T> {
    fn default() -> Self {
        Self(IndexMap::new())
    }
}

impl<T: Keyed> Declared<T> {
    /// Adds a value under its own key; a value that was there is replaced and returned.
    pub fn insert(&mut self, value: T) -> Option<T> {
        self.0.insert(value.key().to_owned(), value)
    }
}

impl<T> Declared<T> {
    /// The value of a key.
    pub fn get(&self, key: impl AsRef<str>) -> Option<&T> {
        self.0.get(key.as_ref())
    }

    /// Whether the key is declared.
    pub fn contains(&self, key: impl AsRef<str>) -> bool {
        self.0.contains_key(key.as_ref())
    }

    /// The value at a place in the order of declaration, from 0.
    pub fn at(&self, place: usize) -> Option<&T> {
        self.0.get_index(place).map(|(_, value)| value)
    }

    /// The place of a key in the order of declaration, from 0.
    pub fn position(&self, key: impl AsRef<str>) -> Option<usize> {
        self.0.get_index_of(key.as_ref())
    }

    /// All values in the order of declaration.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator + Clone {
        self.0.values()
    }

    /// All keys in the order of declaration.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator + Clone {
        self.0.keys().map(String::as_str)
    }

    /// How many are declared.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is declared.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Keyed> FromIterator<T> for Declared<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut all = Self::default();
        for value in values {
            all.insert(value);
        }
        all
    }
}
