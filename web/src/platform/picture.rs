//! Small copies of pictures and posters, drawn on a canvas. For the eye only: what is judged is decoded in Rust.

use super::dom;
use super::samples::text_blob;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{CanvasRenderingContext2d, File, HtmlCanvasElement, HtmlImageElement, ImageBitmap};

/// A JPEG of at most `max_side` pixels a side, as a `data:` address; `None` for what the browser cannot
/// decode.
pub async fn small_copy(file: &File, max_side: u32) -> Option<String> {
    let decoding = web_sys::window()?
        .create_image_bitmap_with_blob(file)
        .ok()?;
    let bitmap: ImageBitmap = JsFuture::from(decoding).await.ok()?.dyn_into().ok()?;
    let longest = bitmap.width().max(bitmap.height()).max(1);
    let scale = (f64::from(max_side) / f64::from(longest)).min(1.0);
    let side = |pixels: u32| (f64::from(pixels) * scale).round().max(1.0) as u32;
    let (canvas, context) = canvas(side(bitmap.width()), side(bitmap.height()))?;
    let (width, height) = (f64::from(canvas.width()), f64::from(canvas.height()));
    // JPEG knows no transparency.
    context.set_fill_style_str("#fff");
    context.fill_rect(0.0, 0.0, width, height);
    context
        .draw_image_with_image_bitmap_and_dw_and_dh(&bitmap, 0.0, 0.0, width, height)
        .ok()?;
    bitmap.close();
    canvas.to_data_url_with_type("image/jpeg").ok()
}

/// An SVG drawn into a PNG, as a `data:` address.
pub async fn png_of_svg(svg: &str, width: u32, height: u32) -> Option<String> {
    let url = dom::object_url(&text_blob(svg, "image/svg+xml").ok()?)?;
    let image = HtmlImageElement::new().ok()?;
    image.set_src(&url);
    let drawn = JsFuture::from(image.decode()).await;
    let (canvas, context) = canvas(width, height)?;
    drawn.ok()?;
    context
        .draw_image_with_html_image_element(&image, 0.0, 0.0)
        .ok()?;
    dom::revoke_url(&url);
    canvas.to_data_url().ok()
}

fn canvas(width: u32, height: u32) -> Option<(HtmlCanvasElement, CanvasRenderingContext2d)> {
    let document = web_sys::window()?.document()?;
    let canvas: HtmlCanvasElement = document.create_element("canvas").ok()?.dyn_into().ok()?;
    canvas.set_width(width);
    canvas.set_height(height);
    let context = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    Some((canvas, context))
}
