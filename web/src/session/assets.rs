//! Pictures that belong to tasks: the client's input image and the references.
//! A picture that the visitor picks by hand stands before one that a benchmark folder brought.

use super::intake::AssetKey;
use std::collections::BTreeMap;

/// Pictures by task.
#[derive(Clone, Debug)]
pub struct Assets<F> {
    picked: BTreeMap<String, F>,
    inputs: BTreeMap<AssetKey, Vec<F>>,
    references: BTreeMap<AssetKey, Vec<F>>,
}

impl<F> Default for Assets<F> {
    fn default() -> Self {
        Self {
            picked: BTreeMap::new(),
            inputs: BTreeMap::new(),
            references: BTreeMap::new(),
        }
    }
}

impl<F> Assets<F> {
    /// Adds the pictures of a benchmark folder; those of a task that is known already are replaced.
    pub fn add(&mut self, inputs: Vec<(AssetKey, F)>, references: Vec<(AssetKey, F)>) {
        self.inputs.append(&mut by_task(inputs));
        self.references.append(&mut by_task(references));
    }

    /// Takes the visitor's own input image for a task, or none.
    pub fn pick_input(&mut self, task_id: &str, file: Option<F>) {
        match file {
            Some(file) => self.picked.insert(task_id.to_owned(), file),
            None => self.picked.remove(task_id),
        };
    }

    /// The input image of a task.
    pub fn input(&self, task_id: &str) -> Option<&F> {
        self.picked
            .get(task_id)
            .or_else(|| self.inputs.get(&AssetKey::of_task(task_id)?)?.first())
    }

    /// Reference pictures of a task.
    pub fn references(&self, task_id: &str) -> &[F] {
        AssetKey::of_task(task_id)
            .and_then(|key| self.references.get(&key))
            .map_or(&[], Vec::as_slice)
    }

    /// Number of pictures from benchmark folders.
    pub fn n_bench(&self) -> usize {
        self.inputs
            .values()
            .chain(self.references.values())
            .map(Vec::len)
            .sum()
    }

    /// Forgets the pictures of benchmark folders.
    pub fn clear(&mut self) {
        self.inputs.clear();
        self.references.clear();
    }
}

fn by_task<F>(files: Vec<(AssetKey, F)>) -> BTreeMap<AssetKey, Vec<F>> {
    let mut map: BTreeMap<AssetKey, Vec<F>> = BTreeMap::new();
    for (key, file) in files {
        map.entry(key).or_default().push(file);
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picked_input_stands_before_the_folders_and_goes_alone() {
        let key = AssetKey {
            category: "portrait".into(),
            number: 7,
        };
        let mut assets = Assets::default();
        assets.add(vec![(key.clone(), "folder")], vec![(key, "reference")]);
        assert_eq!(assets.input("portrait-007"), Some(&"folder"));
        assets.pick_input("portrait-007", Some("mine"));
        assert_eq!(assets.input("portrait-007"), Some(&"mine"));
        assets.pick_input("portrait-007", None);
        assert_eq!(assets.input("portrait-007"), Some(&"folder"));
        assert_eq!(assets.references("portrait-007"), ["reference"]);
        assert!(assets.references("product-007").is_empty());
        assets.add(
            Vec::new(),
            vec![(
                AssetKey {
                    category: "portrait".into(),
                    number: 7,
                },
                "again",
            )],
        );
        assert_eq!(
            assets.references("portrait-007"),
            ["again"],
            "a second drop replaces the first"
        );
        assets.clear();
        assert_eq!((assets.input("portrait-007"), assets.n_bench()), (None, 0));
    }
}
