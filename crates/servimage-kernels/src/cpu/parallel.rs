//! Work spread over threads where there are any.

/// Calls `work` on each task, where `spread` natively on rayon's threads.
#[cfg(not(target_family = "wasm"))]
pub(super) fn for_each<T: Send>(spread: bool, tasks: Vec<T>, work: impl Fn(T) + Send + Sync) {
    use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
    if spread && tasks.len() > 1 {
        tasks.into_par_iter().with_max_len(1).for_each(work);
    } else {
        tasks.into_iter().for_each(work);
    }
}

/// Calls `work` on each task, one after the other.
#[cfg(target_family = "wasm")]
pub(super) fn for_each<T>(_spread: bool, tasks: Vec<T>, work: impl Fn(T)) {
    tasks.into_iter().for_each(work);
}

/// Threads that [`for_each`] spreads over.
pub(super) fn n_threads() -> usize {
    #[cfg(not(target_family = "wasm"))]
    return rayon::current_num_threads();
    #[cfg(target_family = "wasm")]
    1
}

/// Values below which a part of a cheap operation is not worth a thread of its own.
const MIN_VALUES: usize = 1 << 15;

/// Cuts `out`, rows of `row_len`, into consecutive parts and calls `work` with the first row of each and the part.
pub(super) fn for_each_rows(
    out: &mut [f32],
    row_len: usize,
    work: impl Fn(usize, &mut [f32]) + Send + Sync,
) {
    let n_rows = out.len() / row_len.max(1);
    let max_parts = match n_threads() {
        1 => 1,
        n => 4 * n,
    };
    let n_parts = (out.len() / MIN_VALUES).clamp(1, max_parts);
    let part_rows = n_rows.div_ceil(n_parts).max(1);
    let parts = out.chunks_mut((part_rows * row_len).max(1)).enumerate();
    for_each(n_parts > 1, parts.collect(), |(part, rows)| {
        work(part * part_rows, rows);
    });
}

/// Cuts a row-major matrix into tiles of `width` columns, each as one piece a row.
pub(super) fn column_tiles(out: &mut [f32], row_len: usize, width: usize) -> Vec<Vec<&mut [f32]>> {
    let n_rows = out.len() / row_len;
    let mut tiles: Vec<_> = (0..row_len.div_ceil(width))
        .map(|_| Vec::with_capacity(n_rows))
        .collect();
    for row in out.chunks_exact_mut(row_len) {
        for (tile, piece) in tiles.iter_mut().zip(row.chunks_mut(width)) {
            tile.push(piece);
        }
    }
    tiles
}
