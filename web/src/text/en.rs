//! The English texts.

use super::Key;

/// The English text of a key.
pub(super) fn text(key: Key) -> &'static str {
    match key {
        Key::PageTitle => "ServImage: would the client pay for this image?",
        Key::SkipToImages => "Skip to the images",
        Key::Headline => "Would the client pay for this image?",
        Key::Purpose => {
            "Drop an image, pick the brief it answers, and read the verdict: pay or not, for how many dollars, and why."
        }
        Key::LanguageLabel => "Language",
        Key::ThemeLabel => "Colours:",
        Key::ThemeAuto => "Auto",
        Key::ThemeLight => "Light",
        Key::ThemeDark => "Dark",
        Key::StatusLabel => "Model and privacy",
        Key::PrivacyTitle => "Your images never leave this page",
        Key::RequestsSince => "network requests by this page since the model was ready",
        Key::RequestsNotYet => "counting starts when the model is ready",
        Key::PhaseStart => "Starting the worker",
        Key::KeptOnDevice => "Kept on this device: the next visit needs no network for it.",
        Key::KeptInMemory => {
            "Not kept, the next visit downloads it again: {reason} ({needed} needed, {free} free)."
        }
        Key::DeletePacks => "Delete what is kept",
        Key::PhaseDevice => "Opening the device",
        Key::PhaseDownload => "Downloading to this device",
        Key::PhaseWeights => "Loading the weights",
        Key::PhaseCompile => "Compiling for this device",
        Key::PhaseSelfTest => "Checking itself against known answers, warming up",
        Key::StepDevice => "Device",
        Key::StepDownload => "Download",
        Key::StepWeights => "Weights",
        Key::StepCompile => "Compile",
        Key::StepSelfTest => "Self-test",
        Key::BytesOf => "{done} of {total}",
        Key::ModelReady => "Ready on",
        Key::DeviceGpu => "GPU via WebGPU",
        Key::DeviceCpu => "CPU",
        Key::DeviceSlow => "slow",
        Key::CpuReason => "Why not the GPU:",
        Key::ModelSummary => "Model {name}, {size}, loaded in {took}",
        Key::ModelShape => {
            "{parameters} parameters, weights as {quant}; loading took at most {heap} of the worker's memory"
        }
        Key::SelfTestPassed => "Self-test passed",
        Key::SelfTestFailed => "Self-test failed",
        Key::SelfTestBound => "worst error {worst}, allowed {tolerance}",
        Key::SelfTestTensor => "Tensor",
        Key::SelfTestError => "Relative error",
        Key::LoadFailedTitle => "The model could not be loaded",
        Key::TryAgain => "Try again",
        Key::Dismiss => "Dismiss",
        Key::NoticeQueued => "{count} queued",
        Key::NoticeQueuedEarly => "{count} queued; judging starts when the model is ready",
        Key::NoticePay => "{name}: would pay, {percent}",
        Key::NoticeRefuse => "{name}: would not pay, {percent}",
        Key::NoticeFailed => "{name} could not be judged",
        Key::NoticeBench => {
            "ServImageBench: {tasks} tasks ready to pick, {warnings} oddities in its files survived."
        }
        Key::NoticeForgotten => "The benchmark is forgotten; nothing of it was stored.",
        Key::NoticeNotBench => "{name} holds no tasks: {why}",
        Key::NoticeSkipped => "{count} files in the folder are no images and were left out.",
        Key::NoticeCopied => "Copied",
        Key::DropAnywhere => "Drop to judge",
        Key::DropTitle => "Drop images here",
        Key::DropHint => {
            "Anywhere on the page, really. JPEG, PNG, WebP, GIF, BMP, TIFF, and AVIF, HEIC or SVG where this browser reads them; folders and ZIP archives too."
        }
        Key::ChooseImages => "Choose images",
        Key::SamplesTitle => "Or try one of ours",
        Key::SampleLabel => "Judge the sample: {title}",
        Key::BriefTitle => "The brief",
        Key::SearchTasks => "Search the tasks",
        Key::Category => "Category",
        Key::AnyCategory => "All categories",
        Key::CategoryPortrait => "Portrait",
        Key::CategoryProduct => "Product",
        Key::CategoryDigital => "Digital",
        Key::Task => "Task",
        Key::TasksFound => "{count} tasks",
        Key::Wishes => "What the client looks at ({count})",
        Key::Deliverable => "Deliverable",
        Key::DeliverableOf => "deliverable {number} of {total}",
        Key::DeliverablesInOrder => "All, in order: one image each",
        Key::BenchHint => {
            "Drop the benchmark's folder, or its JSON files, to judge against its 1,070 paid tasks. It stays in memory, here."
        }
        Key::BenchChoose => "Choose its folder",
        Key::BenchForget => "Forget it",
        Key::BenchSummary => {
            "{tasks} tasks, {pictures} pictures, {warnings} warnings. In memory only."
        }
        Key::InputMissing => {
            "This task starts from a picture of the client's. Without it, edit consistency cannot be judged."
        }
        Key::InputChosen => "The client's picture: {name}",
        Key::InputChoose => "Choose the client's picture",
        Key::QueueTitle => "Queue",
        Key::QueueCounts => "{done} of {total} judged · {pay} would be paid · {failed} failed",
        Key::ExportJsonl => "Export JSONL",
        Key::ExportCsv => "Export CSV",
        Key::Clear => "Clear finished",
        Key::EmptyOneTitle => "Pick a brief",
        Key::EmptyOne => "what the client asked for, and what they pay",
        Key::EmptyTwoTitle => "Drop images",
        Key::EmptyTwo => "they wait here until the model is ready",
        Key::EmptyThreeTitle => "Read the verdict",
        Key::EmptyThree => "the probability of payment, seven reasons, every hard rule",
        Key::StateWaiting => "Waiting",
        Key::StateDecoding => "Reading the image",
        Key::StateScoring => "Judging",
        Key::Cancel => "Cancel",
        Key::Retry => "Try again",
        Key::Rejudge => "Judge for the picked brief",
        Key::Remove => "Remove",
        Key::NoPicture => "no preview",
        Key::WouldPay => "Would pay",
        Key::WouldNotPay => "Would not pay",
        Key::PPayCaption => "probability that the client pays",
        Key::ThresholdAt => "pays from {percent} on",
        Key::ExpectedDollars => "Expected",
        Key::OfPrice => "of {price}",
        Key::ScoreHint => {
            "Weighted mean of the concepts that apply, 0 to 100; the weights come with the model"
        }
        Key::LabelsTitle => "What these numbers are worth:",
        Key::ConceptsTitle => "Why",
        Key::Concept => "Concept",
        Key::ConceptBrief => "Meets the brief",
        Key::ConceptBriefHint => "What was asked for is there",
        Key::ConceptClarity => "Clarity",
        Key::ConceptClarityHint => "Sharp, clean, free of blocks and noise",
        Key::ConceptRealism => "Realism",
        Key::ConceptRealismHint => "Nothing warped, repeated or impossible",
        Key::ConceptAesthetic => "Aesthetics",
        Key::ConceptAestheticHint => "Colour, light and composition",
        Key::ConceptText => "Text",
        Key::ConceptTextHint => "Lettering is right and readable",
        Key::ConceptEdit => "Faithful edit",
        Key::ConceptEditHint => "What was to change has changed, the rest is kept",
        Key::ConceptSet => "Set consistency",
        Key::ConceptSetHint => "Fits the other images of the set",
        Key::NotApplicable => "Not applicable:",
        Key::WhyNoText => "the brief asks for no lettering",
        Key::WhyNoInput => "the task does not start from a picture",
        Key::WhyNoSet => "the client wants a single image",
        Key::WhyNotGiven => "this model gives no number for it",
        Key::WhyNoHead => "this model judges the payment alone",
        Key::WhyNotTrained => "this model was not trained on it",
        Key::WhyInputNotGiven => "the client's picture was not given",
        Key::WhyNoOthers => "no other image of the set was given",
        Key::ErrorDamaged => "The image is damaged inside and cannot be decoded.",
        Key::ErrorUnreadable => "The file could not be read. Was it moved or deleted?",
        Key::ErrorPackMissing => "The model's files could not be fetched",
        Key::ErrorPackDamaged => "The model's files are damaged or incomplete",
        Key::ErrorSelfTest => "The model fails its self-test on this device, so it will not judge",
        Key::ErrorNoGpu => "No usable GPU through WebGPU here",
        Key::Distributions => "How sure: probabilities of 1 to 5",
        Key::RulesTitle => "Hard rules",
        Key::NoRules => "This deliverable has none.",
        Key::Rule => "Rule",
        Key::Required => "Required",
        Key::Measured => "Measured",
        Key::Outcome => "Outcome",
        Key::RuleAspect => "Aspect ratio",
        Key::RuleDimensions => "Dimensions",
        Key::RuleResolution => "Resolution",
        Key::RuleFileType => "File type",
        Key::RuleBackground => "Background colour",
        Key::RuleColours => "Colours",
        Key::RuleStyle => "Style",
        Key::RuleMaterial => "Material",
        Key::RuleText => "Required text",
        Key::OutcomePass => "pass",
        Key::OutcomeFail => "fail",
        Key::OutcomeWarning => "warning",
        Key::OutcomeCannotCheck => "cannot be checked here",
        Key::ErrorEmpty => "The file is empty: it has 0 bytes.",
        Key::ErrorTruncated => "The image breaks off before its end. Was it fully downloaded?",
        Key::ErrorNotAnImage => "This is not an image, whatever its name says.",
        Key::ErrorTooLarge => "The image is too large to open safely here.",
        Key::ErrorUnsupported => "This image format cannot be read here.",
        Key::ErrorWorker => "The model's worker stopped unexpectedly",
        Key::ErrorCancelled => "Cancelled.",
        Key::ProvenanceTitle => "Made by",
        Key::FromPack => "Model",
        Key::FromHash => "Pack SHA-256",
        Key::FromCalibration => "Calibration",
        Key::FromDevice => "Device",
        Key::FromDecoder => "Decoder",
        Key::FromTask => "Task version",
        Key::FromBuild => "Build",
        Key::FromTime => "Time for this image",
        Key::CopyJson => "Copy JSON",
        Key::SaveJson => "Save JSON",
        Key::FooterHonest => {
            "A verdict is a model's estimate, not a client's word. What its labels are worth stands beside every number."
        }
        Key::FooterHow => {
            "The network runs in this tab, on your device. No account, no upload, no cookies. Finished verdicts stay in this browser until you clear them; pictures are not kept."
        }
        Key::NoticeBlind => "{name} is judged; your vote opens the verdict",
        Key::VoteAsk => "Would you pay for this image?",
        Key::VotePay => "I would pay",
        Key::VoteRefuse => "I would not",
        Key::VotedPay => "You voted, unseen: would pay",
        Key::VotedRefuse => "You voted, unseen: would not pay",
        Key::DecisionTitle => "Where to draw the line",
        Key::ThresholdLabel => "Send from this P(pay) on",
        Key::CostAccept => "A refused image costs, in dollars",
        Key::CostReject => "A good image held back costs, in dollars",
        Key::NetCaption => "expected net",
        Key::NetSent => "{sent} of {judged} would be sent",
        Key::NetUnpriced => "{count} without a price count no dollars",
        Key::NetBest => "Most dollars here: {net}, from {percent} on",
        Key::TakeBest => "Draw it there",
        Key::TakePack => "Back to the model's {percent}",
        Key::EachItsOwn => {
            "Sent, an image earns its price with its probability and costs a refusal otherwise. Each counts as a delivery of its own."
        }
        Key::BandLine => {
            "Of {n} held-out examples rated like this, {observed} were accepted (95 %: {low} to {high})"
        }
        Key::ChecklistTitle => "What the client looks at: {ticked} of {total} ticked",
        Key::CompareTitle => "Compare",
        Key::Compare => "Compare",
        Key::Close => "Close",
        Key::CompareLeft => "Left",
        Key::CompareRight => "Right",
        Key::CompareLine => "Line between the pictures",
        Key::CompareAt => "left picture: {percent}",
        Key::CompareLess => "Less of the left",
        Key::CompareMore => "More of the left",
        Key::CompareInput => "The client's picture",
        Key::BlindSwitch => "Blind mode: I decide before I see the verdict",
        Key::AgreementLine => "You and the model agree on {agree} of {n} ({share})",
        Key::Kappa => "Cohen's kappa {kappa}",
        Key::KappaNone => "no kappa: everybody always said the same",
        Key::ExportVotes => "Export my votes",
        Key::TimeLeft => "about {time} left",
        Key::PauseAll => "Pause all",
        Key::GoOn => "Go on",
        Key::RetryFailed => "Try the failed again",
        Key::ExportReport => "Report",
        Key::CopyLink => "Copy link",
        Key::SavePoster => "Save as picture",
        Key::NoticeLink => {
            "Link copied. It holds the task, the threshold and the scores; no pictures."
        }
        Key::NoticeReport => "The report is saved",
        Key::ReportTitle => "Which of these images would the client pay for?",
        Key::OrderTitle => "Order",
        Key::OrderNewest => "Newest first",
        Key::OrderLikeliest => "Likeliest to be paid first",
        Key::OrderUnlikeliest => "Least likely first",
        Key::OrderName => "By name",
        Key::StateHidden => "Judged; waits for your vote",
        Key::StateFailed => "Failed",
        Key::SharedTitle => "Somebody shared these scores with you",
        Key::SharedHint => "The pictures stayed with the sender. Task:",
        Key::SharedFile => "File",
        Key::NoticeRecovered => {
            "The model stopped unexpectedly. It is being loaded again, and the queue goes on where it was."
        }
        Key::NoticeAllJudged => "All done: {done} judged, {failed} failed",
        Key::NoticeNotUnpacked => "{name} could not be unpacked: {why} ({more} more like it)",
        Key::NoticeNothingPasted => "The browser gave nothing from the clipboard: {why}",
        Key::PasteImage => "Paste",
        Key::Insist => "Open it anyway; it may take all of this tab's memory",
        Key::NotesTitle => "What was done to the file",
        Key::NoteAlpha => "transparent, put on white",
        Key::NoteTurned => "turned as its EXIF says",
        Key::NoteColours => "colours converted to sRGB",
        Key::NoteProfile => "colour profile unusable: colours may be off",
        Key::NoteBrowser => "decoded by the browser: other browsers may give other pixels",
        Key::PriceFilter => "Price",
        Key::AnyPrice => "Any price",
        Key::PriceBetween => "{low} to {high}",
        Key::PriceFrom => "{low} and more",
        Key::LanguageFilter => "Language of the brief",
        Key::AnyLanguage => "Any language",
        Key::KindFilter => "Kind of task",
        Key::AnyKind => "Any kind",
        Key::KindPicture => "Starts from a picture",
        Key::KindWords => "Starts from words alone",
        Key::KindSet => "A set of images",
        Key::KindSingle => "A single image",
        Key::OwnBriefTitle => "Write your own brief",
        Key::OwnBriefHint => {
            "Kept in this browser only. The model was never measured on briefs like yours: read its verdict as a hint."
        }
        Key::OwnTitle => "Title",
        Key::OwnBrief => "What do you want to see?",
        Key::OwnDeliverables => "Deliverables, one a line",
        Key::OwnPrice => "Price of all of it, in dollars",
        Key::OwnInput => "I give a picture to work from",
        Key::OwnSave => "Use this brief",
        Key::OwnForget => "Forget this brief",
        Key::OutOfDistribution => "Your own brief: outside of what the model was measured on",
        Key::WhatIf => "What if…",
        Key::WhatIfTitle => "What if the brief were different?",
        Key::WhatIfHint => {
            "Change the words or the price; the image is judged again, and both numbers are shown. A view into the model, not advice about the client."
        }
        Key::WhatIfGo => "Judge again",
        Key::WhatIfLine => "{before} for the brief before: {points} points",
        Key::ModelCardTitle => "Model card",
        Key::KeysTitle => "Keys",
        Key::KeysElsewhere => {
            "In the list of a long queue: arrows, Page Up and Down, Home, End. In the comparison: arrows move the line. Escape closes a dialog."
        }
        Key::KeysOn => "Single keys do something",
    }
}
