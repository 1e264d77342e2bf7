//! Words for points in both languages.

use crate::point::N_KINDS;

/// The words of one kind in one language.
pub(crate) struct Words {
    pub(crate) values: &'static [&'static str],
    /// `{v}` is the value; every fifth, from the second on, is held out.
    pub(crate) phrases: [&'static str; 5],
}

const COLOURS: [&str; 9] = [
    "white", "black", "grey", "red", "orange", "yellow", "green", "blue", "purple",
];
const COLOURS_ZH: [&str; 9] = [
    "白色", "黑色", "灰色", "红色", "橙色", "黄色", "绿色", "蓝色", "紫色",
];

/// By the numbers of the kinds.
pub(crate) const ENGLISH: [Words; N_KINDS] = [
    Words {
        values: &COLOURS,
        phrases: [
            "{v} background",
            "background {v}",
            "on a {v} background",
            "the background is {v}",
            "background in {v}",
        ],
    },
    Words {
        values: &[
            "circles",
            "squares",
            "triangles",
            "stars",
            "crosses",
            "rings",
            "a bottle",
            "a mug",
            "fruit",
            "a portrait",
            "a landscape",
            "a street",
            "a poster",
        ],
        phrases: [
            "show {v}",
            "it is {v}",
            "with {v}",
            "it shows {v}",
            "picture of {v}",
        ],
    },
    Words {
        values: &COLOURS,
        phrases: [
            "{v} objects",
            "objects are {v}",
            "the objects are {v}",
            "objects in {v}",
            "objects coloured {v}",
        ],
    },
    Words {
        values: &["one", "two", "three", "four"],
        phrases: [
            "{v} of them",
            "{v} in number",
            "{v} pieces",
            "exactly {v} pieces",
            "number of pieces {v}",
        ],
    },
    Words {
        values: &["left", "right", "top", "bottom", "centre"],
        phrases: [
            "at the {v}",
            "objects at the {v}",
            "on the {v}",
            "objects on the {v}",
            "placed at the {v}",
        ],
    },
    Words {
        values: &["landscape format", "portrait format", "square format"],
        phrases: [
            "{v}",
            "the picture in {v}",
            "in {v}",
            "use {v}",
            "picture in {v}",
        ],
    },
    Words {
        values: &["full colour", "black and white"],
        phrases: [
            "{v}",
            "the picture in {v}",
            "in {v}",
            "keep it {v}",
            "picture in {v}",
        ],
    },
    Words {
        values: &["no border", "a border"],
        phrases: [
            "{v}",
            "picture with {v}",
            "with {v}",
            "use {v}",
            "it has {v}",
        ],
    },
    Words {
        values: &["no text", "a caption"],
        phrases: [
            "{v}",
            "picture with {v}",
            "with {v}",
            "use {v}",
            "it has {v}",
        ],
    },
    Words {
        values: &["a person", "a product", "a graphic design"],
        phrases: [
            "{v}",
            "it is {v}",
            "show {v}",
            "it shows {v}",
            "picture of {v}",
        ],
    },
];

/// By the numbers of the kinds.
pub(crate) const CHINESE: [Words; N_KINDS] = [
    Words {
        values: &COLOURS_ZH,
        phrases: [
            "{v}背景",
            "背景用{v}",
            "背景为{v}",
            "以{v}为背景",
            "背景是{v}",
        ],
    },
    Words {
        values: &[
            "圆形",
            "方形",
            "三角形",
            "星形",
            "十字",
            "圆环",
            "瓶子",
            "杯子",
            "水果",
            "人像",
            "风景",
            "街道",
            "海报",
        ],
        phrases: ["展示{v}", "图中有{v}", "画{v}", "有{v}", "图中是{v}"],
    },
    Words {
        values: &COLOURS_ZH,
        phrases: [
            "{v}物体",
            "物体用{v}",
            "物体为{v}",
            "{v}的物体",
            "物体是{v}",
        ],
    },
    Words {
        values: &["一个", "两个", "三个", "四个"],
        phrases: ["共{v}", "正好是{v}", "{v}", "正好{v}", "数量是{v}"],
    },
    Words {
        values: &["左侧", "右侧", "上方", "下方", "中间"],
        phrases: ["放在{v}", "物体放在{v}", "在{v}", "物体在{v}", "位于{v}"],
    },
    Words {
        values: &["横版", "竖版", "方版"],
        phrases: ["{v}", "图片是{v}", "用{v}", "图片用{v}", "{v}图片"],
    },
    Words {
        values: &["彩色", "黑白"],
        phrases: ["{v}", "图片是{v}", "用{v}", "图片用{v}", "{v}图片"],
    },
    Words {
        values: &["无边框", "有边框"],
        phrases: ["{v}", "图片{v}", "要{v}", "{v}的图片", "图片要{v}"],
    },
    Words {
        values: &["无文字", "有文字"],
        phrases: ["{v}", "图片{v}", "要{v}", "{v}的图片", "图片要{v}"],
    },
    Words {
        values: &["人物照", "产品照", "平面设计"],
        phrases: ["{v}", "图中是{v}", "展示{v}", "一张{v}", "图片是{v}"],
    },
];
