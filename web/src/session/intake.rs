//! Sorts what a visitor brings: images to judge, benchmark files, and the benchmark's own pictures.
//!
//! Only the path decides (`C-Portrait/inputs/task_7/1.jpg`); whether an image is one is for the worker
//! to find out, so a text file renamed `.png` still gets its card and its sentence.

/// Extensions that a folder must show for a file in it to be taken as an image.
const IMAGE_EXTENSIONS: [&str; 14] = [
    "jpg", "jpeg", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "heif",
    "jxl", "svg",
];

/// A file with the path under which it was brought, `/` between folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming<F> {
    /// Path inside the drop; the bare name for a single file.
    pub path: String,
    /// The file itself.
    pub file: F,
}

/// Names a task's folder of pictures, zeros before the number ignored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AssetKey {
    /// Lower-case category without `C-`, such as `portrait`; empty where the path does not tell.
    pub category: String,
    /// Number of the task.
    pub number: u32,
}

impl AssetKey {
    /// The key of a task id such as `portrait-001`.
    pub fn of_task(task_id: &str) -> Option<Self> {
        let (category, number) = task_id.rsplit_once('-')?;
        Some(Self {
            category: category.to_ascii_lowercase(),
            number: number.parse().ok()?,
        })
    }
}

/// What a path turns out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An image to judge.
    Image,
    /// A JSON file that may hold tasks.
    Json,
    /// The client's input picture of a task.
    Input(AssetKey),
    /// A reference picture of a task.
    Reference(AssetKey),
    /// Neither, and inside a folder: not worth a card.
    Other,
}

/// A drop, sorted. Order within each list is by path, numbers by value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sorted<F> {
    /// Images to judge.
    pub images: Vec<Incoming<F>>,
    /// JSON files that may hold tasks.
    pub jsons: Vec<Incoming<F>>,
    /// Input pictures by task.
    pub inputs: Vec<(AssetKey, F)>,
    /// Reference pictures by task.
    pub references: Vec<(AssetKey, F)>,
    /// Paths of files in folders and archives that were passed over.
    pub skipped: Vec<String>,
}

/// Sorts a drop by path.
pub fn sort<F>(mut files: Vec<Incoming<F>>) -> Sorted<F> {
    files.sort_by_cached_key(|file| natural_key(&file.path));
    let mut sorted = Sorted {
        images: Vec::new(),
        jsons: Vec::new(),
        inputs: Vec::new(),
        references: Vec::new(),
        skipped: Vec::new(),
    };
    for file in files {
        match classify(&file.path) {
            Kind::Image => sorted.images.push(file),
            Kind::Json => sorted.jsons.push(file),
            Kind::Input(key) => sorted.inputs.push((key, file.file)),
            Kind::Reference(key) => sorted.references.push((key, file.file)),
            Kind::Other => sorted.skipped.push(file.path),
        }
    }
    sorted
}

/// Takes the files of a model pack out of a drop: those of the first folder with a manifest and a tokenizer, by their paths in it,
/// beside the folder's name.
pub fn take_pack<F>(files: &mut Vec<Incoming<F>>) -> Option<(String, Vec<Incoming<F>>)> {
    let has = |path: &str| files.iter().any(|file| file.path == path);
    let folder = files.iter().find_map(|file| {
        let folder = file.path.strip_suffix("manifest.json")?;
        has(&format!("{folder}tokenizer.json")).then(|| folder.to_owned())
    })?;
    let mut pack = Vec::new();
    for mut file in std::mem::take(files) {
        match file.path.strip_prefix(&folder) {
            Some(path) => {
                file.path = path.to_owned();
                pack.push(file);
            }
            None => files.push(file),
        }
    }
    Some((folder, pack))
}

/// Says what a path is.
pub fn classify(path: &str) -> Kind {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let Some((name, folders)) = parts.split_last() else {
        return Kind::Other;
    };
    let extension = name
        .rsplit_once('.')
        .map(|(_, ext)| ext.to_ascii_lowercase())
        .unwrap_or_default();
    if extension == "json" {
        return Kind::Json;
    }
    let is_image = IMAGE_EXTENSIONS.contains(&extension.as_str());
    if let [above @ .., kind, task] = folders
        && let Some(number) = task.strip_prefix("task_").and_then(|n| n.parse().ok())
        && is_image
    {
        let category = above
            .last()
            .map(|name| category_of(name))
            .unwrap_or_default();
        let key = AssetKey { category, number };
        match *kind {
            "inputs" => return Kind::Input(key),
            "refs" => return Kind::Reference(key),
            _ => {}
        }
    }
    if name.starts_with('.') || (!folders.is_empty() && !is_image) {
        Kind::Other
    } else {
        Kind::Image
    }
}

fn category_of(folder: &str) -> String {
    let folder = folder.to_ascii_lowercase();
    folder
        .strip_prefix("c-")
        .map(str::to_owned)
        .unwrap_or(folder)
}

/// Sort key under which `2.png` comes before `10.png`.
pub(super) fn natural_key(path: &str) -> Vec<(u64, String)> {
    let mut key = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let text_len = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (text, after) = rest.split_at(text_len);
        let digits_len = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let (digits, next) = after.split_at(digits_len);
        // Text first within a piece: ("b", 2) sorts after ("a", 10).
        key.push((0, text.to_ascii_lowercase()));
        key.push((digits.parse().unwrap_or(u64::MAX), String::new()));
        rest = next;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(path: &str) -> Incoming<String> {
        Incoming {
            path: path.to_owned(),
            file: path.to_owned(),
        }
    }

    #[test]
    fn benchmark_folders_are_known_with_and_without_zeros() {
        let key = AssetKey {
            category: "portrait".into(),
            number: 7,
        };
        assert_eq!(
            classify("bench/C-Portrait/inputs/task_7/1.jpg"),
            Kind::Input(key.clone())
        );
        assert_eq!(
            classify("C-Portrait/refs/task_007/2.png"),
            Kind::Reference(key.clone())
        );
        assert_eq!(AssetKey::of_task("portrait-007"), Some(key));
        assert_eq!(AssetKey::of_task("starter"), None);
    }

    #[test]
    fn a_single_odd_file_gets_a_card_but_one_in_a_folder_is_passed_over() {
        assert_eq!(classify("notes.txt"), Kind::Image);
        assert_eq!(classify("shoot/notes.txt"), Kind::Other);
        assert_eq!(classify("shoot/.DS_Store"), Kind::Other);
        assert_eq!(classify("shoot/a.JPG"), Kind::Image);
        assert_eq!(classify("shoot/task_3/a.jpg"), Kind::Image);
        assert_eq!(classify(""), Kind::Other);
    }

    #[test]
    fn a_drop_is_sorted_into_its_parts_in_natural_order() {
        let sorted = sort(vec![
            incoming("set/10.png"),
            incoming("set/2.png"),
            incoming("C-Product/Product.json"),
            incoming("C-Product/inputs/task_3/1.jpg"),
            incoming("C-Product/refs/task_003/1.jpg"),
            incoming("set/readme.md"),
        ]);
        let names: Vec<_> = sorted
            .images
            .iter()
            .map(|image| image.path.as_str())
            .collect();
        assert_eq!(names, ["set/2.png", "set/10.png"]);
        assert_eq!(sorted.jsons.len(), 1);
        assert_eq!(
            sorted.inputs[0].0,
            AssetKey {
                category: "product".into(),
                number: 3
            }
        );
        assert_eq!(sorted.references[0].0.number, 3);
        assert_eq!(sorted.skipped.len(), 1);
    }

    #[test]
    fn a_folder_with_a_pack_is_taken_out_and_what_lies_beside_it_stays() {
        let file = |path: &str| Incoming {
            path: path.to_owned(),
            file: (),
        };
        let mut files: Vec<_> = [
            "all/photo.png",
            "all/big/manifest.json",
            "all/big/shard-0000.bin",
            "all/big/tokenizer.json",
        ]
        .map(file)
        .into();
        let (folder, pack) = take_pack(&mut files).expect("there is one");
        assert_eq!(folder, "all/big/");
        let paths: Vec<&str> = pack.iter().map(|file| &file.path[..]).collect();
        assert_eq!(paths, ["manifest.json", "shard-0000.bin", "tokenizer.json"]);
        assert_eq!(files, [file("all/photo.png")]);
        // A manifest of something else.
        files.push(file("all/manifest.json"));
        assert_eq!(take_pack(&mut files), None);
        assert_eq!(files.len(), 2);
    }
}
