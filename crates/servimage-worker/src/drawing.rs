//! Images in formats that no decoder of ours reads, drawn by the browser: AVIF, HEIC, JPEG XL, where it can. What comes out is a
//! PNG, so that everything behind it stays as it is; the verdict says that the browser decoded it.

use crate::platform::{bytes_of, scope, words_of};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ImageBitmap, OffscreenCanvas, OffscreenCanvasRenderingContext2d};

/// Why there is no PNG.
pub(crate) enum NotDrawn {
    /// The browser can, and the picture is over the limit.
    TooLarge(String),
    /// The browser cannot; its words.
    Refused(String),
}

/// The picture as a PNG.
pub(crate) async fn drawn_png(blob: &Blob, max_pixels: u64) -> Result<Vec<u8>, NotDrawn> {
    let words = |error: JsValue| NotDrawn::Refused(words_of(&error));
    let decoding = scope().create_image_bitmap_with_blob(blob).map_err(words)?;
    let bitmap = JsFuture::from(decoding).await.map_err(words)?;
    let bitmap: ImageBitmap = bitmap.unchecked_into();
    let (width, height) = (bitmap.width(), bitmap.height());
    if u64::from(width) * u64::from(height) > max_pixels {
        bitmap.close();
        return Err(NotDrawn::TooLarge(format!(
            "the image is too large: {width} x {height} pixels, at most {max_pixels} in all are drawn"
        )));
    }
    let canvas = OffscreenCanvas::new(width, height).map_err(words)?;
    let context = canvas.get_context("2d").map_err(words)?;
    let context: OffscreenCanvasRenderingContext2d = context
        .ok_or_else(|| NotDrawn::Refused("it offers no canvas in a worker".to_owned()))?
        .unchecked_into();
    let drawing = context.draw_image_with_image_bitmap(&bitmap, 0.0, 0.0);
    bitmap.close();
    drawing.map_err(words)?;
    let png = JsFuture::from(canvas.convert_to_blob().map_err(words)?).await;
    let bytes = bytes_of(&png.map_err(words)?.unchecked_into(), None).await;
    bytes.map_err(NotDrawn::Refused)
}
