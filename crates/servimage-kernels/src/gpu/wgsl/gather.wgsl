{{STORED}}
// out[i] = sum of taps: weights[t][i] * table[rows[t][i]], each a row of d values from column `first`.
@group(0) @binding(0) var<storage, read_write> table: array<{{X}}>;
@group(0) @binding(1) var<storage, read_write> rows: array<u32>;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<{{X}}>;
// info[0]: d, values to write, taps, threads in a row of workgroups; info[1]: rows a tap, columns of the table, first column, start in out
@group(0) @binding(4) var<uniform> info: array<vec4<u32>, 4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = id.y * info[0].w + id.x;
    if (at >= info[0].y) {
        return;
    }
    let row = at / info[0].x;
    let column = at % info[0].x + info[1].z;
    var sum = 0.0;
    for (var tap = 0u; tap < info[0].z; tap++) {
        let i = tap * info[1].x + row;
        sum += weights[i] * f32(table[rows[i] * info[1].y + column]);
    }
    out[info[1].w + at] = stored(sum);
}
