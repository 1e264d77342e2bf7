//! Every sentence that a visitor reads, in English and Chinese.
//!
//! The sentences lie in `public/texts/`, one file a language, and are fetched before the page is drawn: the program holds
//! their keys alone. The tests see to it that both files answer every key, in the order of the keys, that no answer is
//! empty and that both languages fill in the same values.

use std::sync::OnceLock;

#[cfg(test)]
mod tests;

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// Chinese, simplified.
    Zh,
}

impl Lang {
    /// Tag for the `lang` attribute.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-CN",
        }
    }

    /// As the tasks name their language.
    pub fn brief_language(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// The page's language for a browser's language tag.
    pub fn from_tag(tag: &str) -> Self {
        if tag.to_ascii_lowercase().starts_with("zh") {
            Self::Zh
        } else {
            Self::En
        }
    }
}

/// The texts of each language by the order of the keys, once they are there.
static TABLES: [OnceLock<Vec<String>>; 2] = [OnceLock::new(), OnceLock::new()];

/// Takes the texts of a language, in the order of the keys. `false` where it is another number of texts: the file then
/// belongs to another version of the page.
pub fn take_table(lang: Lang, texts: Vec<String>) -> bool {
    let is_whole = texts.len() == N_KEYS;
    if is_whole {
        // A table that is there already has the same texts.
        let _ = TABLES[lang as usize].set(texts);
    }
    is_whole
}

/// Whether the texts of a language are there.
pub fn has_table(lang: Lang) -> bool {
    TABLES[lang as usize].get().is_some()
}

/// The text of a key; empty before the language's table is there.
pub fn text(lang: Lang, key: Key) -> &'static str {
    #[cfg(test)]
    tests::take_tables();
    let table = TABLES[lang as usize].get();
    table
        .and_then(|texts| texts.get(key as usize))
        .map_or("", String::as_str)
}

/// Puts values into a text: `{name}` gives way to the value of that name.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, next)) = after.split_once('}') else {
            rest = after;
            break;
        };
        // A name without a value stays visible as itself: better than a hole in the sentence.
        filled.push_str(
            values
                .iter()
                .find(|(known, _)| *known == name)
                .map_or(name, |(_, value)| value),
        );
        rest = next;
    }
    filled.push_str(rest);
    filled
}

macro_rules! keys {
    ($($key:ident)*) => {
        /// Names a text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Key { $($key),* }

        /// Number of texts in each language.
        const N_KEYS: usize = [$(Key::$key),*].len();

        /// Every key, for the tests.
        #[cfg(test)]
        const ALL_KEYS: [Key; N_KEYS] = [$(Key::$key),*];
    };
}

keys! {
    PageTitle SkipToImages Headline Purpose LanguageLabel ThemeLabel ThemeAuto ThemeLight
    ThemeDark StatusLabel PrivacyTitle RequestsSince RequestsNotYet PhaseStart PhaseDevice
    PhaseDownload StepDownload KeptOnDevice KeptInMemory KeptInMemoryOnly KeptInFolder DeletePacks
    PacksTitle PacksTotal BuiltInPack PackInUse UsePack DeletePack PackUrl PackUrlHelp OpenPackFolder
    PreflightTitle PreflightSlow PreflightTooLarge PreflightSize PreflightFits PreflightNoRoom
    DownloadAnyway UseBuiltIn
    PhaseWeights PhaseCompile PhaseSelfTest StepDevice StepWeights StepCompile StepSelfTest
    BytesOf ModelReady DeviceGpu DeviceCpu DeviceSlow CpuReason ModelSummary ModelShape
    SelfTestPassed SelfTestFailed SelfTestBound SelfTestTensor SelfTestError LoadFailedTitle
    TryAgain Dismiss NoticeQueued NoticeQueuedEarly NoticePay NoticeRefuse NoticeFailed
    NoticeBench NoticeForgotten NoticeNotBench NoticeSkipped NoticeCopied DropAnywhere DropTitle
    DropHint ChooseImages SamplesTitle SampleLabel BriefTitle SearchTasks Category AnyCategory
    CategoryPortrait CategoryProduct CategoryDigital Task TasksFound Wishes Deliverable
    DeliverableOf DeliverablesInOrder BenchHint BenchChoose BenchForget BenchSummary InputMissing
    InputChosen InputChoose QueueTitle QueueCounts ExportJsonl ExportCsv Clear EmptyOneTitle
    EmptyOne EmptyTwoTitle EmptyTwo EmptyThreeTitle EmptyThree StateWaiting StateDecoding
    StateScoring Cancel Retry Rejudge Remove NoPicture WouldPay WouldNotPay PPayCaption
    ThresholdAt ExpectedDollars OfPrice ScoreHint LabelsTitle ConceptsTitle Concept ConceptBrief
    ConceptBriefHint ConceptClarity ConceptClarityHint ConceptRealism ConceptRealismHint
    ConceptAesthetic ConceptAestheticHint ConceptText ConceptTextHint ConceptEdit ConceptEditHint
    ConceptSet ConceptSetHint NotApplicable WhyNoText WhyNoInput WhyNoSet WhyNotGiven WhyNoHead
    WhyNotLearned WhyInputNotGiven WhyNoOthers Distributions RulesTitle NoRules Rule Required
    Measured Outcome RuleAspect RuleDimensions RuleResolution RuleFileType RuleBackground
    RuleColours RuleStyle RuleMaterial RuleText OutcomePass OutcomeFail OutcomeWarning
    OutcomeCannotCheck ErrorEmpty ErrorDamaged ErrorUnreadable ErrorPackMissing ErrorPackDamaged
    ErrorSelfTest ErrorNoGpu ErrorTruncated ErrorNotAnImage ErrorTooLarge ErrorUnsupported
    ErrorWorker ErrorCancelled ProvenanceTitle FromPack FromHash FromCalibration FromDevice
    FromSelfTest FromDecoder FromTask FromBuild FromTime CopyJson SaveJson FooterHonest FooterHow
    NoticeBlind VoteAsk VotePay VoteRefuse VotedPay VotedRefuse DecisionTitle ThresholdLabel CostAccept CostReject
    NetCaption NetSent NetUnpriced NetBest TakeBest TakePack EachItsOwn BandLine ChecklistTitle
    CompareTitle Compare Close CompareLeft CompareRight CompareLine CompareAt CompareLess
    CompareMore CompareInput BlindSwitch AgreementLine Kappa KappaNone ExportVotes
    TimeLeft PauseAll GoOn RetryFailed ExportReport CopyLink SavePoster NoticeLink NoticeReport
    ReportTitle OrderTitle OrderNewest OrderLikeliest OrderUnlikeliest OrderName StateHidden
    StateFailed SharedTitle SharedHint SharedFile
    NoticeAllJudged
    NoticeNotUnpacked NoticeNothingPasted PasteImage Insist NotesTitle NoteAlpha NoteTurned
    NoteColours NoteProfile NoteBrowser PriceFilter AnyPrice PriceBetween PriceFrom
    LanguageFilter AnyLanguage KindFilter AnyKind KindPicture KindWords KindSet KindSingle
    OwnBriefTitle OwnBriefHint OwnTitle OwnBrief OwnDeliverables OwnPrice OwnInput OwnSave
    OwnForget OutOfDistribution WhatIf WhatIfTitle WhatIfHint WhatIfGo WhatIfLine ModelCardTitle
    KeysTitle KeysElsewhere KeysOn NoticeRecovered
    HeatShow HeatAlt HeatLegend HeatEven PlaceTop PlaceMiddle PlaceBottom PlaceLeft PlaceCentre PlaceRight
    RiseLowest RiseBy
}
