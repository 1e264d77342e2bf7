// From the scores: their maximum, the sum of exp(score - max) and the rows summed with these weights, 64 columns a workgroup.
@group(0) @binding(0) var<storage, read_write> hidden: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
// info[0]: d, first row, start in out, rows
@group(0) @binding(2) var<uniform> info: array<vec4<u32>, 4>;

const THREADS: u32 = 64u;
var<workgroup> partial: array<f32, THREADS>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let d = info[0].x;
    let scores = info[0].z + 2u + d;
    let n = info[0].w;
    var top = -1.0e30;
    for (var i = thread; i < n; i += THREADS) {
        top = max(top, out[scores + i]);
    }
    partial[thread] = top;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if (thread < half) {
            partial[thread] = max(partial[thread], partial[thread + half]);
        }
        workgroupBarrier();
    }
    top = partial[0];
    let column = group.x * THREADS + thread;
    var weighted = 0.0;
    var sum = 0.0;
    for (var i = 0u; i < n; i++) {
        let weight = exp(out[scores + i] - top);
        sum += weight;
        if (column < d) {
            weighted += weight * hidden[(info[0].y + i) * d + column];
        }
    }
    if (column < d) {
        out[info[0].z + 2u + column] = weighted;
    }
    if (column == 0u) {
        out[info[0].z] = top;
        out[info[0].z + 1u] = sum;
    }
}
