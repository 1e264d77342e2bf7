// In place: x[rows[i]] += add[i]; no row twice.
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> rows: array<u32>;
@group(0) @binding(2) var<storage, read_write> add: array<f32>;
// info[0]: d, values of add, threads in a row of workgroups
@group(0) @binding(3) var<uniform> info: array<vec4<u32>, 4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = id.y * info[0].z + id.x;
    if (at >= info[0].y) {
        return;
    }
    x[rows[at / info[0].x] * info[0].x + at % info[0].x] += add[at];
}
