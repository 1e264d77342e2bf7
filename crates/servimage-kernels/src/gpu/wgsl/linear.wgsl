{{STORED}}
// y = activation(x W^T + bias + addend), f32 accumulation.
//
// A workgroup makes BM x BN of y. It walks along the input in steps of BK: every thread first copies 4 x 4 values of x or
// of the dequantized W into workgroup memory, turned so that four neighbouring rows lie in one vec4, then adds TM x 4 products
// a step to its own sums.
const BM: u32 = {{BM}}u;
const BN: u32 = {{BN}}u;
const BK: u32 = {{BK}}u;
const TM: u32 = {{TM}}u;
const THREADS: u32 = {{THREADS}}u;
// One vec4 of padding a row keeps neighbouring threads off the same memory banks.
const XS_ROW: u32 = BM / 4u + 1u;
const WS_ROW: u32 = BN / 4u + 1u;
const STEPS: u32 = BK / 4u;

{{BINDINGS}}

var<workgroup> xs: array<vec4<{{TILE}}>, BK * XS_ROW>;
var<workgroup> ws: array<vec4<{{TILE}}>, BK * WS_ROW>;

// info[0]: rows of x, d_out, d_in, blocks a row of W; info[1]: first word of the scales, bits of what the product and the result are multiplied by
fn x4(row: u32, k4: u32) -> vec4<{{TILE}}> {
    if (row >= info[0].x || k4 * 4u >= info[0].z) {
        return vec4<{{TILE}}>(0.0);
    }
{{LOAD_X}}
}

fn w4(row: u32, k4: u32) -> vec4<{{TILE}}> {
    return vec4<{{TILE}}>(dequantized4(row, k4));
}

fn dequantized4(row: u32, k4: u32) -> vec4<f32> {
    if (row >= info[0].y || k4 * 4u >= info[0].z) {
        return vec4<f32>(0.0);
    }
{{LOAD_W}}
}

{{ACTIVATION}}

fn put(row: u32, column: u32, sum: f32) {
    if (row >= info[0].x || column >= info[0].y) {
        return;
    }
    let at = row * info[0].y + column;
    var value = sum;
{{EPILOGUE}}
    y[at] = stored(value);
}

@compute @workgroup_size({{THREADS}})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let row0 = group.y * BM;
    let column0 = group.x * BN;
    let tm = thread / (BN / 4u);
    let tn = thread % (BN / 4u);
{{DECLARE}}
    let n_steps = (info[0].z + BK - 1u) / BK;
    for (var step = 0u; step < n_steps; step++) {
        for (var task = thread; task < (BM + BN) / 4u * STEPS; task += THREADS) {
            let k4 = task % STEPS;
            let at4 = task / STEPS;
            let from4 = step * STEPS + k4;
            if (at4 < BM / 4u) {
                let row = row0 + at4 * 4u;
                let a = x4(row, from4);
                let b = x4(row + 1u, from4);
                let c = x4(row + 2u, from4);
                let d = x4(row + 3u, from4);
                let to = k4 * 4u * XS_ROW + at4;
                xs[to] = vec4<{{TILE}}>(a.x, b.x, c.x, d.x);
                xs[to + XS_ROW] = vec4<{{TILE}}>(a.y, b.y, c.y, d.y);
                xs[to + 2u * XS_ROW] = vec4<{{TILE}}>(a.z, b.z, c.z, d.z);
                xs[to + 3u * XS_ROW] = vec4<{{TILE}}>(a.w, b.w, c.w, d.w);
            } else {
                let row = column0 + at4 * 4u - BM;
                let a = w4(row, from4);
                let b = w4(row + 1u, from4);
                let c = w4(row + 2u, from4);
                let d = w4(row + 3u, from4);
                let to = k4 * 4u * WS_ROW + at4 - BM / 4u;
                ws[to] = vec4<{{TILE}}>(a.x, b.x, c.x, d.x);
                ws[to + WS_ROW] = vec4<{{TILE}}>(a.y, b.y, c.y, d.y);
                ws[to + 2u * WS_ROW] = vec4<{{TILE}}>(a.z, b.z, c.z, d.z);
                ws[to + 3u * WS_ROW] = vec4<{{TILE}}>(a.w, b.w, c.w, d.w);
            }
        }
        workgroupBarrier();
        for (var k = 0u; k < BK; k++) {
            let b = vec4<f32>(ws[k * WS_ROW + tn]);
{{MULTIPLY}}
        }
        workgroupBarrier();
    }
    let row = row0 + tm * TM;
    let column = column0 + tn * 4u;
{{STORE}}
}
