//! Pictures that belong to tasks: the client's input image and the references.
//! A picture that the visitor picks by hand stands before one that a benchmark folder brought.

use super::intake::AssetKey;

/// Pictures of tasks, a task once.
type ByTask<F> = Vec<(AssetKey, Vec<F>)>;

/// Pictures by task.
#[derive(Clone, Debug)]
pub struct Assets<F> {
    picked: Vec<(String, F)>,
    inputs: ByTask<F>,
    references: ByTask<F>,
}

impl<F> Default for Assets<F> {
    fn default() -> Self {
        Self {
            picked: Vec::new(),
            inputs: Vec::new(),
            references: Vec::new(),
        }
    }
}

impl<F> Assets<F> {
    /// Adds the pictures of a benchmark folder; those of a task that is known already are replaced.
    pub fn add(&mut self, inputs: Vec<(AssetKey, F)>, references: Vec<(AssetKey, F)>) {
        add(&mut self.inputs, inputs);
        add(&mut self.references, references);
    }

    /// Takes the visitor's own input image for a task, or none.
    pub fn pick_input(&mut self, task_id: &str, file: Option<F>) {
        self.picked.retain(|(of_task, _)| of_task != task_id);
        self.picked
            .extend(file.map(|file| (task_id.to_owned(), file)));
    }

    /// The input image of a task.
    pub fn input(&self, task_id: &str) -> Option<&F> {
        let picked = self.picked.iter().find(|(of_task, _)| of_task == task_id);
        picked
            .map(|(_, file)| file)
            .or_else(|| of_task(&self.inputs, task_id).first())
    }

    /// Reference pictures of a task.
    pub fn references(&self, task_id: &str) -> &[F] {
        of_task(&self.references, task_id)
    }

    /// Number of pictures from benchmark folders.
    pub fn n_bench(&self) -> usize {
        let all = self.inputs.iter().chain(&self.references);
        all.map(|(_, files)| files.len()).sum()
    }

    /// Forgets the pictures of benchmark folders.
    pub fn clear(&mut self) {
        self.inputs.clear();
        self.references.clear();
    }
}

fn of_task<'a, F>(pictures: &'a ByTask<F>, task_id: &str) -> &'a [F] {
    let key = AssetKey::of_task(task_id);
    let found = pictures
        .iter()
        .find(|(known, _)| Some(known) == key.as_ref());
    found.map_or(&[], |(_, files)| files)
}

fn add<F>(pictures: &mut ByTask<F>, files: Vec<(AssetKey, F)>) {
    let mut new: ByTask<F> = Vec::new();
    for (key, file) in files {
        // They come by path, so those of a task mostly follow each other.
        match new.iter_mut().rev().find(|(known, _)| *known == key) {
            Some((_, files)) => files.push(file),
            None => new.push((key, vec![file])),
        }
    }
    pictures.retain(|(known, _)| !new.iter().any(|(key, _)| key == known));
    pictures.append(&mut new);
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
