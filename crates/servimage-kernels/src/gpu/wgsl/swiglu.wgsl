{{STORED}}
// [rows, gate | up] to silu(gate) * up, times SCALE.
@group(0) @binding(0) var<storage, read_write> x: array<{{X}}>;
@group(0) @binding(1) var<storage, read_write> out: array<{{X}}>;
// info[0]: d_hidden, values of the result, threads in a row of workgroups
@group(0) @binding(2) var<uniform> info: array<vec4<u32>, 4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = id.y * info[0].z + id.x;
    if (at >= info[0].y) {
        return;
    }
    let d = info[0].x;
    let from_at = at / d * 2u * d + at % d;
    let gate = f32(x[from_at]);
    out[at] = stored(gate / (1.0 + exp(-gate)) * f32(x[from_at + d]){{SCALE}});
}
