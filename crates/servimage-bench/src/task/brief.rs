//! What a brief says between its lines: language, a given photo, wanted text.

/// Share of Chinese characters among all letters from which a brief counts as Chinese. An English
/// brief that quotes a Chinese name stays English.
const MIN_CHINESE_SHARE: f64 = 0.02;

/// Words that name a picture the client already has.
const GIVEN_PICTURE: [&str; 7] = [
    "照片",
    "证件",
    "登记照",
    "图片",
    "photo",
    "portrait",
    "picture",
];

/// Words that ask to change it.
const CHANGE: [&str; 13] = [
    "将", "改", "修", "换", "统一", "change", "modify", "retouch", "edit", "replace", "restore",
    "unify", "convert",
];

/// Words of briefs whose image has to carry readable text.
const TEXT_WORDS: [&str; 37] = [
    "vi design",
    "vi设计",
    "界面",
    "logo",
    "poster",
    "banner",
    "slogan",
    "headline",
    "lettering",
    "typograph",
    "brand name",
    "business card",
    "packaging",
    "label",
    "book cover",
    "flyer",
    "brochure",
    "infographic",
    "menu",
    "海报",
    "名片",
    "文字",
    "文案",
    "标题",
    "字体",
    "标语",
    "包装",
    "封面",
    "传单",
    "宣传",
    "标志",
    "标签",
    "招牌",
    "菜单",
    "邀请函",
    "艺术字",
    "写着",
];

fn chinese(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// `zh` or `en`.
pub(super) fn language(texts: &[&str]) -> &'static str {
    let letters = || texts.iter().flat_map(|text| text.chars());
    let n_chinese = letters().filter(|&c| chinese(c)).count() as f64;
    let n_latin = letters().filter(char::is_ascii_alphabetic).count() as f64;
    if n_chinese > 0.0 && n_chinese >= MIN_CHINESE_SHARE * (n_chinese + n_latin) {
        "zh"
    } else {
        "en"
    }
}

/// Whether a portrait brief asks to change a photo that the client has.
pub(super) fn changes_a_photo(category: &str, text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    category == "C-Portrait" && says(&GIVEN_PICTURE) && says(&CHANGE)
}

/// Whether the brief asks for readable text in the image.
pub(super) fn wants_text(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    TEXT_WORDS.iter().any(|word| text.contains(word))
}
