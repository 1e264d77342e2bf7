{{STORED}}
// Attention of a tile of queries of one head: softmax(q k^T / sqrt(head_dim)) v with a running maximum and sum, so that no score
// leaves the workgroup. Queries see all rows of the prefix and those of their own segment, with CAUSAL only up to themselves.
const HEAD4: u32 = {{HEAD4}}u;
const BQ: u32 = 16u;
const BK: u32 = 16u;
const THREADS: u32 = 64u;
// Threads that add up values: whole rows of the head only.
const ACTIVE: u32 = THREADS / HEAD4 * HEAD4;
const Q_STEP: u32 = THREADS / HEAD4;
const HIDDEN: f32 = -1.0e30;

@group(0) @binding(0) var<storage, read_write> qkv: array<vec4<{{X}}>>;
@group(0) @binding(1) var<storage, read_write> tiles: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<{{X}}>>;
{{PREFIX_BINDING}}
// info[0]: n_heads, n_kv_heads, rows of the prefix, 1 if causal
@group(0) @binding({{INFO}}) var<uniform> info: array<vec4<u32>, 4>;

var<workgroup> qs: array<vec4<f32>, BQ * HEAD4>;
var<workgroup> ps: array<f32, BQ * BK>;
var<workgroup> row_max: array<f32, BQ>;
var<workgroup> row_sum: array<f32, BQ>;
var<workgroup> row_scale: array<f32, BQ>;
var<workgroup> shared_tile: vec4<u32>;

// `which`: 0 key, 1 value; `row` counts the prefix first.
fn kv4(row: u32, kv_head: u32, which: u32, at4: u32, segment: u32) -> vec4<f32> {
    let n_heads = info[0].x;
    let n_kv = info[0].y;
{{PREFIX_READ}}
    let own = segment + row - info[0].z;
    return vec4<f32>(qkv[(own * (n_heads + 2u * n_kv) + n_heads + which * n_kv + kv_head) * HEAD4 + at4]);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    if (thread == 0u) {
        shared_tile = tiles[group.x];
    }
    // first query, queries, first row of the segment, its rows; the same for every thread, so that barriers may depend on it
    let tile = workgroupUniformLoad(&shared_tile);
    let head = group.y;
    let n_heads = info[0].x;
    let n_kv = info[0].y;
    let kv_head = head / (n_heads / n_kv);
    let n_prefix = info[0].z;
    let causal = info[0].w == 1u;
    for (var i = thread; i < BQ * HEAD4; i += THREADS) {
        let q = i / HEAD4;
        var value = vec4<f32>(0.0);
        if (q < tile.y) {
            value = vec4<f32>(qkv[((tile.x + q) * (n_heads + 2u * n_kv) + head) * HEAD4 + i % HEAD4]) * {{SCALE}};
        }
        qs[i] = value;
    }
    if (thread < BQ) {
        row_max[thread] = HIDDEN;
        row_sum[thread] = 0.0;
    }
    workgroupBarrier();
    let first_query = tile.x - tile.z;
    var n_keys = n_prefix + tile.w;
    if (causal) {
        n_keys = n_prefix + min(tile.w, first_query + tile.y);
    }
    let key_lane = thread % BK;
    let query_lane = thread / BK * 4u;
    let column4 = thread % HEAD4;
    let value_row = thread / HEAD4;
{{DECLARE}}
    for (var key0 = 0u; key0 < n_keys; key0 += BK) {
        let key = key0 + key_lane;
        var s = vec4<f32>(HIDDEN);
        if (key < n_keys) {
            var sum = vec4<f32>(0.0);
            for (var d = 0u; d < HEAD4; d++) {
                let k = kv4(key, kv_head, 0u, d, tile.z);
                sum += vec4<f32>(
                    dot(qs[query_lane * HEAD4 + d], k),
                    dot(qs[(query_lane + 1u) * HEAD4 + d], k),
                    dot(qs[(query_lane + 2u) * HEAD4 + d], k),
                    dot(qs[(query_lane + 3u) * HEAD4 + d], k),
                );
            }
            s = sum;
            if (causal && key >= n_prefix) {
                let own = key - n_prefix;
                let at = vec4<u32>(first_query + query_lane) + vec4<u32>(0u, 1u, 2u, 3u);
                s = select(vec4<f32>(HIDDEN), sum, at >= vec4<u32>(own));
            }
        }
        ps[query_lane * BK + key_lane] = s.x;
        ps[(query_lane + 1u) * BK + key_lane] = s.y;
        ps[(query_lane + 2u) * BK + key_lane] = s.z;
        ps[(query_lane + 3u) * BK + key_lane] = s.w;
        workgroupBarrier();
        if (thread < BQ) {
            var top = row_max[thread];
            for (var i = 0u; i < BK; i++) {
                top = max(top, ps[thread * BK + i]);
            }
            row_scale[thread] = exp(row_max[thread] - top);
            row_max[thread] = top;
        }
        workgroupBarrier();
        for (var i = 0u; i < 4u; i++) {
            let q = query_lane + i;
            ps[q * BK + key_lane] = exp(ps[q * BK + key_lane] - row_max[q]);
        }
        workgroupBarrier();
        if (thread < BQ) {
            var sum = row_sum[thread] * row_scale[thread];
            for (var i = 0u; i < BK; i++) {
                sum += ps[thread * BK + i];
            }
            row_sum[thread] = sum;
        }
        if (thread < ACTIVE) {
{{RESCALE}}
            let n = min(BK, n_keys - key0);
            for (var i = 0u; i < n; i++) {
                let v = kv4(key0 + i, kv_head, 1u, column4, tile.z);
{{ADD}}
            }
        }
        workgroupBarrier();
    }
    if (thread < ACTIVE) {
{{STORE}}
    }
}
