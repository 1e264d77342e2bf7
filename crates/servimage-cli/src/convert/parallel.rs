//! Work spread over the cores, its results taken in order.

use std::num::NonZero;
use std::sync::mpsc::sync_channel;
use std::thread;

/// Computes `work(0)` to `work(n - 1)` on all cores and hands each result to `take`, in order.
///
/// A core waits once it is a result ahead, so no more than two results a core are in memory.
///
/// # Errors
/// The first error of `work` or `take` in that order; what follows it is not computed.
pub(super) fn in_order<T: Send, E: Send>(
    n: usize,
    work: impl Fn(usize) -> Result<T, E> + Sync,
    mut take: impl FnMut(usize, T) -> Result<(), E>,
) -> Result<(), E> {
    let n_threads = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(n);
    if n_threads <= 1 {
        return (0..n).try_for_each(|index| take(index, work(index)?));
    }
    let work = &work;
    thread::scope(|scope| {
        let start = |first: usize| {
            let (sender, receiver) = sync_channel(1);
            scope.spawn(move || {
                // Sending fails once the receiver has stopped at an error.
                (first..n)
                    .step_by(n_threads)
                    .all(|index| sender.send(work(index)).is_ok())
            });
            receiver
        };
        let queues: Vec<_> = (0..n_threads).map(start).collect();
        for index in 0..n {
            // Only a panic of the thread ends its queue early, and the scope passes that on.
            let Ok(result) = queues[index % n_threads].recv() else {
                break;
            };
            take(index, result?)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::in_order;

    #[test]
    fn results_come_in_order_however_long_each_takes() {
        let mut taken = Vec::new();
        let slow_first = |index: usize| {
            std::thread::sleep(std::time::Duration::from_millis(if index == 0 {
                20
            } else {
                0
            }));
            Ok::<_, ()>(index * 10)
        };
        let push = |index: usize, result: usize| {
            taken.push((index, result));
            Ok(())
        };
        assert_eq!(in_order(9, slow_first, push), Ok(()));
        let expected: Vec<_> = (0..9).map(|index| (index, index * 10)).collect();
        assert_eq!(taken, expected);
        assert_eq!(in_order(0, Ok::<usize, ()>, |_, _| Err(())), Ok(()));
    }

    #[test]
    fn the_first_error_ends_the_work() {
        let mut taken = 0;
        let fails_at_5 = |index: usize| if index >= 5 { Err(index) } else { Ok(()) };
        let count = |_, ()| {
            taken += 1;
            Ok(())
        };
        assert_eq!(in_order(1_000_000_000, fails_at_5, count), Err(5));
        assert_eq!(taken, 5);
        assert_eq!(
            in_order(1_000_000_000, |_| Ok(()), |index, ()| Err(index)),
            Err(0)
        );
    }
}
