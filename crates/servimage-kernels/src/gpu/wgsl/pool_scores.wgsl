// Score of every row against the pooling query, one workgroup a row: q . h / sqrt(d), into the pooled record behind max, sum and vector.
@group(0) @binding(0) var<storage, read_write> hidden: array<f32>;
@group(0) @binding(1) var<storage, read_write> query: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
// info[0]: d, first row, start in out
@group(0) @binding(3) var<uniform> info: array<vec4<u32>, 4>;

const THREADS: u32 = 64u;
var<workgroup> partial: array<f32, THREADS>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let d = info[0].x;
    let start = (info[0].y + group.x) * d;
    var sum = 0.0;
    for (var i = thread; i < d; i += THREADS) {
        sum += hidden[start + i] * query[i];
    }
    partial[thread] = sum;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if (thread < half) {
            partial[thread] += partial[thread + half];
        }
        workgroupBarrier();
    }
    if (thread == 0u) {
        out[info[0].z + 2u + d + group.x] = partial[0] / sqrt(f32(d));
    }
}
