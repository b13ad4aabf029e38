//! Which instruction set to run on: found once, at run time, and the one home of `unsafe`.
//!
//! A loop that must run at full vector width is a [`Kernel`]: most often a closure that is inlined.
//! [`vectorize`] compiles it once per instruction set and calls the best one. The source is the same,
//! so the operations and their order are the same: only the width differs, never a bit.
//!
//! An instruction set is a value, [`Isa`], and a type, [`Level`], for code that the compiler shapes to
//! it. Neither can be made up: detection alone makes them, and that is what makes running them sound.
//!
//! `TENSOR_ISA=portable|avx2|avx512|neon` forces an instruction set.

#[cfg(target_arch = "aarch64")]
use std::arch::is_aarch64_feature_detected;
use std::cell::Cell;
use std::fmt;
use std::sync::OnceLock;

use crate::error::TensorError;

/// An instruction set that this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isa {
    /// Whatever every processor of this architecture has. Without fused multiply-add in hardware
    /// it is right and slow.
    Portable(Portable),
    /// AVX2 with FMA: 256-bit vectors, 16 registers.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// AVX-512 F, BW, DQ and VL: 512-bit vectors, 32 registers.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    /// Advanced SIMD of 64-bit ARM: 128-bit vectors, 32 registers.
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
}

/// Evaluates an expression with `$level` as the [`Level`] of an [`Isa`].
macro_rules! with_level {
    ($isa:expr, $level:ident => $body:expr) => {
        match $isa {
            #[cfg(target_arch = "x86_64")]
            crate::isa::Isa::Avx512($level) => $body,
            #[cfg(target_arch = "x86_64")]
            crate::isa::Isa::Avx2($level) => $body,
            #[cfg(target_arch = "aarch64")]
            crate::isa::Isa::Neon($level) => $body,
            crate::isa::Isa::Portable($level) => $body,
        }
    };
}
pub(crate) use with_level;

static CHOSEN: OnceLock<Result<Isa, TensorError>> = OnceLock::new();

thread_local! {
    static SCOPED: Cell<Option<Isa>> = const { Cell::new(None) };
}

impl Isa {
    /// What every processor has.
    pub const PORTABLE: Isa = Isa::Portable(Portable(()));

    /// What this processor has, fastest first; never empty.
    pub fn available() -> Vec<Isa> {
        let found = [
            #[cfg(target_arch = "x86_64")]
            Avx512::detect().map(Isa::Avx512),
            #[cfg(target_arch = "x86_64")]
            Avx2::detect().map(Isa::Avx2),
            #[cfg(target_arch = "aarch64")]
            Neon::detect().map(Isa::Neon),
            Some(Isa::PORTABLE),
        ];
        found.into_iter().flatten().collect()
    }

    /// The name that `TENSOR_ISA` takes.
    pub const fn name(self) -> &'static str {
        match self {
            Isa::Portable(_) => "portable",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(_) => "avx512",
            #[cfg(target_arch = "aarch64")]
            Isa::Neon(_) => "neon",
        }
    }

    /// The instruction set in use on this thread: that of [`Isa::scope`], or `TENSOR_ISA`, or the
    /// fastest there is. The environment is read once.
    ///
    /// # Panics
    /// Where [`Isa::try_active`] reports an error.
    #[inline]
    pub fn active() -> Isa {
        if let Some(isa) = SCOPED.get() {
            return isa;
        }
        match CHOSEN.get_or_init(Isa::choose) {
            Ok(isa) => *isa,
            Err(error) => unavailable(error),
        }
    }

    /// As [`Isa::active`], for programs that report a wrong `TENSOR_ISA` in a line of their own.
    ///
    /// # Errors
    /// `TENSOR_ISA` names no instruction set that this processor has.
    pub fn try_active() -> Result<Isa, TensorError> {
        match SCOPED.get() {
            Some(isa) => Ok(isa),
            None => CHOSEN.get_or_init(Isa::choose).clone(),
        }
    }

    /// Runs `body` with this instruction set in use on the calling thread, so that tests can
    /// compare them in one process.
    pub fn scope<R>(self, body: impl FnOnce() -> R) -> R {
        /// Puts back what was in force, on panic too.
        struct Restore(Option<Isa>);
        impl Drop for Restore {
            fn drop(&mut self) {
                SCOPED.set(self.0);
            }
        }
        let _restore = Restore(SCOPED.replace(Some(self)));
        body()
    }

    fn choose() -> Result<Isa, TensorError> {
        let available = Isa::available();
        let Some(name) = std::env::var_os("TENSOR_ISA") else {
            return Ok(available[0]);
        };
        let named = available.iter().find(|isa| name == isa.name());
        named.copied().ok_or_else(|| TensorError::Isa {
            wanted: name.to_string_lossy().into_owned(),
            available: available.iter().map(|isa| isa.name()).collect(),
        })
    }
}

#[cold]
fn unavailable(error: &TensorError) -> ! {
    panic!("{error}");
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A loop to be compiled for every instruction set: a closure, or a type of your own.
pub trait Kernel {
    /// What the loop returns.
    type Output;
    /// The loop. Mark it `#[inline(always)]`.
    fn run(self) -> Self::Output;
}

// Not `FnOnce`: of a closure that could run twice, its `call_once` is a shim of the compiler's, which is
// not always inlined; the loop is then compiled without vectors (measured: 300 times slower).
impl<F: FnMut() -> R, R> Kernel for F {
    type Output = R;
    #[inline(always)]
    fn run(mut self) -> R {
        self()
    }
}

/// Runs a loop compiled for the instruction set in use.
///
/// Mark the closure `#[inline(always)]`, and every function of your own that it calls: what is not
/// inlined is compiled for [`Isa::PORTABLE`] alone. Make it a `move` closure, so that numbers it uses
/// are its own: through a reference the loop would read them again and again.
///
/// ```
/// use tensor::{Scalar, vectorize};
///
/// let (x, mut y, factor) = ([10.0, 20.0], [1.0, 2.0], 0.5_f32);
/// let to = &mut y;
/// vectorize(
///     #[inline(always)]
///     move || {
///         for (y, x) in to.iter_mut().zip(x) {
///             *y = Scalar::mul_add(x, factor, *y);
///         }
///     },
/// );
/// assert_eq!(y, [6.0, 12.0]);
/// ```
///
/// # Panics
/// Where [`Isa::try_active`] reports an error.
pub fn vectorize<K: Kernel>(kernel: K) -> K::Output {
    with_level!(Isa::active(), level => level.run(kernel))
}

/// An instruction set as a type, for code whose shape depends on it. To hold one is proof that this
/// processor has it.
pub(crate) trait Level: Copy + Send + Sync {
    /// Runs a kernel compiled for this instruction set.
    fn run<K: Kernel>(self, kernel: K) -> K::Output;
}

/// Proof that nothing special is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Portable(());

impl Level for Portable {
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run()
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! level {
    ($name:ident: $detected:ident, [$($feature:tt)*]) => {
        /// Proof that this processor has what the variant of this name says.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(());

        impl $name {
            fn detect() -> Option<Self> {
                ($($detected!($feature))&&*).then_some($name(()))
            }
        }

        impl Level for $name {
            #[inline]
            fn run<K: Kernel>(self, kernel: K) -> K::Output {
                $(#[target_feature(enable = $feature)])*
                fn compiled<K: Kernel>(kernel: K) -> K::Output {
                    kernel.run()
                }
                // SAFETY: `self` exists, and only `detect` makes one, where this processor has each
                // feature of the very list that is enabled here.
                unsafe { compiled(kernel) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
level!(Avx512: is_x86_feature_detected,
    ["avx512f" "avx512bw" "avx512dq" "avx512vl" "avx2" "fma"]);
#[cfg(target_arch = "x86_64")]
level!(Avx2: is_x86_feature_detected, ["avx2" "fma"]);
#[cfg(target_arch = "aarch64")]
level!(Neon: is_aarch64_feature_detected, ["neon"]);
