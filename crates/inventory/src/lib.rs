//! Stands in for the crate `inventory`, which `pliron`, the compiler framework under cubecl, uses on WebAssembly and nowhere else.
//!
//! There every operation, type and interface of cubecl's kernel language registers itself before `main`, so that no linker
//! can leave any of them out: 1 MB after gzip in a bundle that never compiles a kernel, because all that runs on
//! WebGPU is WGSL text (`servimage-kernels`). Here registering does nothing, and the compiler falls away.
//!
//! A kernel that does need the compiler must not come out wrong in silence: whatever asks for what would have been
//! registered panics and says why. Only the two lists that any launch reads, the text ones included, are empty instead.

use std::iter::Empty;

/// What can be registered.
pub trait Collect: Sized + 'static {
    /// The type as `pliron` writes it.
    const NAME: &'static str;
}

/// Lists that are read whenever a kernel's frame is made: keys to check for doubles, and dialects for a parser of text.
/// Nothing is compiled by them.
const READ_BY_EVERY_LAUNCH: [&str; 2] = ["DictKeyId", "ContextRegistration"];

/// Everything of one type that was registered, which is nothing.
///
/// # Panics
/// For all that only the compilation of a kernel reads.
pub fn iter<T: Collect>() -> Empty<&'static T> {
    let harmless = READ_BY_EVERY_LAUNCH
        .iter()
        .any(|name| T::NAME.contains(name));
    assert!(
        harmless,
        "a burn operation wants cubecl to compile a kernel ({}), and this bundle holds no compiler: \
         in the browser only the kernels of servimage-kernels run on a GPU (crates/inventory says why)",
        T::NAME
    );
    std::iter::empty()
}

/// Makes a type one that can be registered.
#[macro_export]
macro_rules! collect {
    ($ty:ty) => {
        impl $crate::Collect for $ty {
            const NAME: &'static str = stringify!($ty);
        }
    };
}

/// Registers nothing.
#[macro_export]
macro_rules! submit {
    ($($value:tt)*) => {};
}

#[cfg(test)]
mod tests {
    struct Wrapper<T: 'static>(&'static T);
    struct ContextRegistration;
    struct OpInterfaceVerifierInfo;
    struct BoxedTraitCasterInfo;

    crate::collect!(Wrapper<ContextRegistration>);
    crate::collect!(Wrapper<OpInterfaceVerifierInfo>);
    crate::collect!(&'static BoxedTraitCasterInfo);

    crate::submit! {
        Wrapper(&ContextRegistration)
    }

    #[test]
    fn a_launch_of_text_finds_nothing_registered() {
        let registered = crate::iter::<Wrapper<ContextRegistration>>();
        assert!(registered.map(|wrapper| wrapper.0).next().is_none());
    }

    #[test]
    #[should_panic(
        expected = "wants cubecl to compile a kernel (Wrapper<OpInterfaceVerifierInfo>)"
    )]
    fn a_compilation_is_refused_before_it_verifies() {
        let _ = crate::iter::<Wrapper<OpInterfaceVerifierInfo>>();
    }

    #[test]
    #[should_panic(expected = "this bundle holds no compiler")]
    fn a_compilation_is_refused_before_it_lowers() {
        let _ = crate::iter::<&'static BoxedTraitCasterInfo>();
    }
}
