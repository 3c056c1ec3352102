//! The wall clock as the SDK sees it: the instant that a request names, else the machine's.
//!
//! The driver's own `clock_gettime` stands in front of the C library's. Only the wall clock is changed; how time passes is not.

use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

const REALTIME: c_int = 0;
const NEXT: *mut c_void = -1isize as *mut c_void;
const MACHINE: i64 = i64::MIN;
const NANOSECONDS: i64 = 1_000_000_000;

/// Nanoseconds since 1970, or `MACHINE`.
static INSTANT: AtomicI64 = AtomicI64::new(MACHINE);
static SYSTEM: OnceLock<ClockGettime> = OnceLock::new();

type ClockGettime = unsafe extern "C" fn(c_int, *mut Timespec) -> c_int;

#[repr(C)]
pub struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn dlsym(handle: *mut c_void, symbol: *const c_char) -> *mut c_void;
}

/// # Safety
/// As the C library's: `into` must be valid.
#[no_mangle]
pub unsafe extern "C" fn clock_gettime(clock: c_int, into: *mut Timespec) -> c_int {
    let instant = INSTANT.load(Ordering::Relaxed);
    if clock == REALTIME && instant != MACHINE {
        *into = Timespec { seconds: instant.div_euclid(NANOSECONDS), nanoseconds: instant.rem_euclid(NANOSECONDS) };
        return 0;
    }
    let system =
        SYSTEM.get_or_init(|| std::mem::transmute::<*mut c_void, ClockGettime>(dlsym(NEXT, c"clock_gettime".as_ptr())));
    system(clock, into)
}

/// Let the clock say this, in nanoseconds since 1970, or what the machine's says.
pub fn set(instant: Option<i64>) {
    INSTANT.store(instant.unwrap_or(MACHINE), Ordering::Relaxed);
}

/// Tell whether it works here: not every system lets a program's own function come first.
pub fn is_ours() -> bool {
    set(Some(NANOSECONDS));
    let said = SystemTime::now();
    set(None);
    said == SystemTime::UNIX_EPOCH + Duration::from_secs(1)
}
