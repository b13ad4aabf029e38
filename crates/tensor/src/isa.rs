//! Which instruction set to run on: found once, at run time, and the one home of `unsafe`.
//!
//! A loop that must run at full vector width is a [`Kernel`]: most often a closure that is inlined.
//! [`vectorize`] compiles it once per instruction set and calls the best one.
//! The same source, so the same operations in the same order: only the width differs, never a bit.
//!
//! `TENSOR_ISA=portable|avx2|avx512|neon` forces a path.

use std::cell::Cell;
use std::fmt;
use std::sync::OnceLock;

use crate::error::TensorError;
use crate::matmul::Levels;

/// An instruction set that kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Isa {
    /// Whatever every processor of this architecture has. Without fused multiply-add in hardware
    /// it is right and slow.
    Portable,
    /// AVX2 with FMA: 256-bit vectors, 16 registers.
    Avx2,
    /// AVX-512 F, BW, DQ and VL: 512-bit vectors, 32 registers.
    Avx512,
    /// Advanced SIMD of 64-bit ARM: 128-bit vectors, 32 registers.
    Neon,
}

impl Isa {
    const ALL: [Isa; 4] = [Isa::Avx512, Isa::Avx2, Isa::Neon, Isa::Portable];

    /// The name that `TENSOR_ISA` takes.
    pub const fn name(self) -> &'static str {
        match self {
            Isa::Portable => "portable",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
            Isa::Neon => "neon",
        }
    }

    /// What this processor has, fastest first; never empty.
    pub fn available() -> Vec<Isa> {
        Isa::ALL.into_iter().filter(|isa| isa.detected()).collect()
    }

    /// The instruction set in use on this thread: that of [`Isa::scope`], or `TENSOR_ISA`, or the
    /// fastest there is. The environment is read once.
    ///
    /// # Panics
    /// Where [`Isa::try_active`] reports an error.
    pub fn active() -> Isa {
        Path::active().isa()
    }

    /// As [`Isa::active`], for programs that report a wrong `TENSOR_ISA` in a line of their own.
    ///
    /// # Errors
    /// `TENSOR_ISA` names no instruction set, or one that this processor lacks.
    pub fn try_active() -> Result<Isa, TensorError> {
        Path::try_active().map(Path::isa)
    }

    /// Runs `body` with this instruction set in use on the calling thread, so that tests can
    /// compare paths in one process.
    ///
    /// # Errors
    /// This processor lacks it.
    pub fn scope<R>(self, body: impl FnOnce() -> R) -> Result<R, TensorError> {
        /// Puts back what was in force, on panic too.
        struct Restore(Option<Path>);
        impl Drop for Restore {
            fn drop(&mut self) {
                SCOPED.set(self.0);
            }
        }
        let path = Path::new(self)?;
        let _restore = Restore(SCOPED.replace(Some(path)));
        Ok(body())
    }

    fn detected(self) -> bool {
        match self {
            Isa::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                Isa::Avx2.detected()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            #[allow(
                unreachable_patterns,
                reason = "which arms exist depends on the architecture"
            )]
            _ => false,
        }
    }
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

impl<F: FnOnce() -> R, R> Kernel for F {
    type Output = R;
    #[inline(always)]
    fn run(self) -> R {
        self()
    }
}

/// Runs a loop compiled for the instruction set in use.
///
/// Mark the closure `#[inline(always)]`, and every function of your own that it calls: what is not
/// inlined is compiled for the portable path alone. Make it a `move` closure, so that numbers it uses
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
#[inline]
pub fn vectorize<K: Kernel>(kernel: K) -> K::Output {
    Path::active().run(kernel)
}

/// An instruction set as a type, for code whose shape depends on it. Only a [`Path`] makes one, so
/// to hold one is proof that this processor has it.
pub(crate) trait Level: Copy + Send + Sync {
    /// Runs a kernel compiled for this instruction set.
    fn run<K: Kernel>(self, kernel: K) -> K::Output;
}

/// A function of the instruction set as a type.
pub(crate) trait LevelFn {
    type Output;
    fn call<L: Levels>(self, level: L) -> Self::Output;
}

/// An instruction set that this processor is known to have: the only way to get one is through
/// detection, and that is what makes running it sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path(Isa);

static FOUND: OnceLock<Result<Path, TensorError>> = OnceLock::new();

thread_local! {
    static SCOPED: Cell<Option<Path>> = const { Cell::new(None) };
}

impl Path {
    fn new(isa: Isa) -> Result<Path, TensorError> {
        if isa.detected() {
            return Ok(Path(isa));
        }
        let available: Vec<&str> = Isa::available().into_iter().map(Isa::name).collect();
        Err(TensorError::UnavailableIsa {
            wanted: isa,
            available: available.join(", "),
        })
    }

    fn find() -> Result<Path, TensorError> {
        match std::env::var_os("TENSOR_ISA") {
            None => Path::new(Isa::available()[0]),
            Some(name) => {
                let isa = Isa::ALL.into_iter().find(|isa| name == isa.name());
                let unknown = || TensorError::UnknownIsa(name.to_string_lossy().into_owned());
                Path::new(isa.ok_or_else(unknown)?)
            }
        }
    }

    #[inline]
    fn try_active() -> Result<Path, TensorError> {
        match SCOPED.get() {
            Some(path) => Ok(path),
            None => FOUND.get_or_init(Path::find).clone(),
        }
    }

    #[inline]
    pub(crate) fn active() -> Path {
        if let Some(path) = SCOPED.get() {
            return path;
        }
        match FOUND.get_or_init(Path::find) {
            Ok(path) => *path,
            Err(error) => unavailable(error),
        }
    }

    #[inline]
    pub(crate) fn isa(self) -> Isa {
        self.0
    }

    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => Avx512(()).run(kernel),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => Avx2(()).run(kernel),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => Neon(()).run(kernel),
            _ => Portable(()).run(kernel),
        }
    }

    #[inline]
    pub(crate) fn with<F: LevelFn>(self, f: F) -> F::Output {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => f.call(Avx512(())),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => f.call(Avx2(())),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => f.call(Neon(())),
            _ => f.call(Portable(())),
        }
    }
}

#[cold]
fn unavailable(error: &TensorError) -> ! {
    panic!("{error}");
}

/// Proof that nothing special is needed.
#[derive(Clone, Copy)]
pub(crate) struct Portable(());

impl Level for Portable {
    #[inline]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run()
    }
}

/// Proof that this processor has AVX-512 F, BW, DQ and VL, AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

#[cfg(target_arch = "x86_64")]
impl Level for Avx512 {
    #[inline]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
        fn compiled<K: Kernel>(kernel: K) -> K::Output {
            kernel.run()
        }
        // SAFETY: `Avx512` is made in this file alone, from a `Path` that holds `Isa::Avx512`, and a
        // `Path` only ever holds what `detected` found on this processor: the features enabled.
        unsafe { compiled(kernel) }
    }
}

/// Proof that this processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

#[cfg(target_arch = "x86_64")]
impl Level for Avx2 {
    #[inline]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<K: Kernel>(kernel: K) -> K::Output {
            kernel.run()
        }
        // SAFETY: `Avx2` is made in this file alone, from a `Path` that holds `Isa::Avx2`, and a
        // `Path` only ever holds what `detected` found on this processor: the features enabled.
        unsafe { compiled(kernel) }
    }
}

/// Proof that this processor has NEON.
#[cfg(target_arch = "aarch64")]
#[derive(Clone, Copy)]
pub(crate) struct Neon(());

#[cfg(target_arch = "aarch64")]
impl Level for Neon {
    #[inline]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "neon")]
        fn compiled<K: Kernel>(kernel: K) -> K::Output {
            kernel.run()
        }
        // SAFETY: `Neon` is made in this file alone, from a `Path` that holds `Isa::Neon`, and a
        // `Path` only ever holds what `detected` found on this processor: the features enabled.
        unsafe { compiled(kernel) }
    }
}
