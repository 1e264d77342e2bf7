//! What is wrong with an input, before it reaches a device.

use crate::error::RunError;
use crate::model::ModelInput;

impl ModelInput {
    /// Whether the parts of an input belong together, for a network with these numbers.
    pub(crate) fn check(
        &self,
        image_token: u32,
        merge: usize,
        d_patch: usize,
    ) -> Result<(), RunError> {
        let merge = merge as u64;
        let n_patches: u64 = self
            .grids
            .iter()
            .map(|g| g.iter().map(|&n| u64::from(n)).product::<u64>())
            .sum();
        let n_pads = self.ids.iter().filter(|&&id| id == image_token).count() as u64;
        let aligned = self
            .grids
            .iter()
            .all(|g| u64::from(g[1]) % merge == 0 && u64::from(g[2]) % merge == 0);
        let rules = [
            (
                "positions",
                self.ids.len() as u64,
                self.positions.len() as u64,
            ),
            (
                "values of patches",
                n_patches * d_patch as u64,
                self.patches.len() as u64,
            ),
            ("image pads", n_patches / (merge * merge), n_pads),
            (
                "grids in whole merge blocks (1 = yes)",
                1,
                u64::from(aligned && n_patches > 0),
            ),
            (
                "prefix of text alone, with tokens behind it (1 = yes)",
                1,
                u64::from(
                    self.prefix_len < self.ids.len()
                        && !self.ids[..self.prefix_len].contains(&image_token),
                ),
            ),
            (
                "text tokens above 0 (1 = yes)",
                1,
                u64::from(self.ids.len() as u64 > n_pads),
            ),
        ];
        match rules
            .into_iter()
            .find(|(_, expected, found)| expected != found)
        {
            None => Ok(()),
            Some((what, expected, found)) => Err(RunError::Input {
                what,
                expected: expected.to_string(),
                found: found.to_string(),
            }),
        }
    }
}
