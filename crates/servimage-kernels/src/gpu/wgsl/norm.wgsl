{{STORED}}
// One workgroup a row: RMSNorm, or with CENTER LayerNorm.
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> gamma: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<{{OUT}}>;
{{BETA_BINDING}}
// info[0]: columns, bits of epsilon
@group(0) @binding({{INFO}}) var<uniform> info: array<vec4<u32>, 4>;

const THREADS: u32 = 64u;
const CENTER: bool = {{CENTER}};
var<workgroup> partial: array<f32, THREADS>;

fn total(value: f32, thread: u32) -> f32 {
    partial[thread] = value;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if (thread < half) {
            partial[thread] += partial[thread + half];
        }
        workgroupBarrier();
    }
    let sum = partial[0];
    workgroupBarrier();
    return sum;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let d = info[0].x;
    let start = group.x * d;
    var mean = 0.0;
    if (CENTER) {
        var sum = 0.0;
        for (var i = thread; i < d; i += THREADS) {
            sum += x[start + i];
        }
        mean = total(sum, thread) / f32(d);
    }
    var squares = 0.0;
    for (var i = thread; i < d; i += THREADS) {
        let value = x[start + i] - mean;
        squares += value * value;
    }
    let scale = 1.0 / sqrt(total(squares, thread) / f32(d) + bitcast<f32>(info[0].y));
    for (var i = thread; i < d; i += THREADS) {
        out[start + i] = stored((x[start + i] - mean) * scale * gamma[i] {{BETA}});
    }
}
