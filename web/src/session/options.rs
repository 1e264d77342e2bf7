//! What the address says: `?pack=<folder url>&device=auto|gpu|gpu-f16|cpu`.

use servimage_bench::message::DevicePreference;

/// Pack that the page loads when the address names none.
pub const DEFAULT_PACK: &str = "./models/nano/";

/// Choices that come with the address of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Folder of the pack, ending in `/`; relative to the page.
    pub pack_url: String,
    /// Device to ask for.
    pub device: DevicePreference,
    /// Images that go through the network together at most; what pays on the device where absent.
    pub max_batch: Option<usize>,
    /// Language of the brief that is picked at first, `en` or `zh`.
    pub language: &'static str,
}

impl Options {
    /// Reads the two query parameters; what is absent or unknown takes its default.
    pub fn from_params(pack: Option<&str>, device: Option<&str>) -> Self {
        let pack = pack.map(str::trim).filter(|pack| !pack.is_empty());
        let mut pack_url = pack.unwrap_or(DEFAULT_PACK).to_owned();
        if !pack_url.ends_with('/') {
            pack_url.push('/');
        }
        let device = match device {
            Some("gpu") => DevicePreference::Gpu,
            Some("gpu-f16") => DevicePreference::GpuF16,
            Some("cpu") => DevicePreference::Cpu,
            _ => DevicePreference::Auto,
        };
        Self {
            pack_url,
            device,
            max_batch: None,
            language: "en",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_address_asks_for_nano_on_any_device() {
        let options = Options::from_params(None, None);
        assert_eq!(options.pack_url, DEFAULT_PACK);
        assert_eq!(options.device, DevicePreference::Auto);
        assert_eq!(Options::from_params(Some("  "), Some("tpu")), options);
    }

    #[test]
    fn a_pack_folder_always_ends_in_a_slash() {
        let options = Options::from_params(Some("./models/big"), Some("cpu"));
        assert_eq!(options.pack_url, "./models/big/");
        assert_eq!(options.device, DevicePreference::Cpu);
        let options = Options::from_params(Some("/m/"), Some("gpu-f16"));
        assert_eq!(options.pack_url, "/m/");
        assert_eq!(options.device, DevicePreference::GpuF16);
    }
}
