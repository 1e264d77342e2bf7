{{STORED}}
// In place: heads `first .. first + workgroups` of a row are normed (RMS, with NORM) and rotated: x cos + rotate_half(x) sin.
@group(0) @binding(0) var<storage, read_write> x: array<{{X}}>;
@group(0) @binding(1) var<storage, read_write> cosines: array<f32>;
@group(0) @binding(2) var<storage, read_write> sines: array<f32>;
{{GAMMA_BINDING}}
// info[0]: columns of a row, head_dim, first head, bits of epsilon
@group(0) @binding({{INFO}}) var<uniform> info: array<vec4<u32>, 4>;

const THREADS: u32 = 32u;
const NORM: bool = {{NORM}};
var<workgroup> partial: array<f32, THREADS>;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let head_dim = info[0].y;
    let half = head_dim / 2u;
    let start = group.y * info[0].x + (info[0].z + group.x) * head_dim;
    let turn = group.y * head_dim;
    var scale = 1.0;
    if (NORM) {
        var squares = 0.0;
        for (var i = thread; i < head_dim; i += THREADS) {
            let value = f32(x[start + i]);
            squares += value * value;
        }
        partial[thread] = squares;
        workgroupBarrier();
        for (var step = THREADS / 2u; step > 0u; step /= 2u) {
            if (thread < step) {
                partial[thread] += partial[thread + step];
            }
            workgroupBarrier();
        }
        scale = 1.0 / sqrt(partial[0] / f32(head_dim) + bitcast<f32>(info[0].w));
    }
    for (var i = thread; i < half; i += THREADS) {
        let low = f32(x[start + i]) * scale {{GAMMA_LOW}};
        let high = f32(x[start + half + i]) * scale {{GAMMA_HIGH}};
        x[start + i] = stored(low * cosines[turn + i] - high * sines[turn + i]);
        x[start + half + i] = stored(high * cosines[turn + half + i] + low * sines[turn + half + i]);
    }
}
