// A whole LSTM or GRU sequence in one kernel, forward (lstm_forward) and backward (lstm_backward), for Hopper GPUs.
//
// A cluster of CLUSTER blocks computes ROWS = 8 * TILES rows of the batch through all steps; each block owns UNITS / CLUSTER
// units, each of its WARPS warps 8 of them. The recurrent weights of a block never leave it: KEPT of each thread's blocks of 64
// bytes of the inner dimension stay in registers, the rest in shared memory. What the blocks of a cluster owe each other at
// every step (the new state; on the way back, parts of sums) is stored straight into the other's shared memory.
//
// Compiled by NVRTC with these macros (see whole.py): LSTM_FORWARD or LSTM_BACKWARD, UNITS, CLUSTER, WARPS, TILES, KEPT, BFLOAT
// (1: bfloat16; 0: float32, products of float16, which has as many digits as TensorFloat-32), SAVES (1: forward writes the
// activated gates, which the way back needs), MASKED (1: a step whose second gate comes from the inputs as more than 1e29 keeps
// the states and the output of the step before), GRU.
//
// A GRU (1: the reset gate after the product, as Keras has it by default) has four gates here, too: update z, reset r, the
// candidate's part from the state q, and its part from the inputs, whose recurrent weights are zeros. Its h stands where an LSTM
// has c, also among the arguments (hs for cs, h0 for c0); cs, d_c and d_c0 are not touched. It needs no MASKED: an update gate of
// 1 keeps the state, and all gradients but that of the state are zeros.
//
// Products are D = A * B with mma.sync m16n8k16: A is weights, rows of A are gates or units; B is states or gradients, columns
// of B are rows of the batch. In this instruction a thread of a warp is (g, t) = (lane / 4, lane % 4); it holds D[g and g + 8]
// [2t, 2t + 1]. The order of the inner dimension is free: thread t takes 16 bytes at 16 * t of each 64-byte block, that is two
// instructions' worth.

typedef unsigned int u32;
typedef unsigned long long u64;

#if BFLOAT
typedef unsigned short T;
#else
typedef float T;
#endif

constexpr int H = UNITS, C = CLUSTER, W = WARPS, NT = TILES, N = 8 * TILES, KR = KEPT, BYTES = BFLOAT ? 2 : 4;
constexpr int OB = 2;  // bytes of an operand of a product
constexpr int U = H / C;  // units of a block
static_assert(U == 8 * W, "a warp owns 8 units");

// -- instructions
__device__ __forceinline__ u32 address(const void* p) { return (u32)__cvta_generic_to_shared(p); }

__device__ __forceinline__ void mma(float (&d)[4], u32 a0, u32 a1, u32 a2, u32 a3, u32 b0, u32 b1) {
#if BFLOAT
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
#else
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
#endif
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

// Two instructions: rows g and g + 8 of A and column g of B, 16 bytes of each.
__device__ __forceinline__ void product(float (&d)[4], const uint4& low, const uint4& high, const uint4& b) {
    mma(d, low.x, high.x, low.y, high.y, b.x, b.y);
    mma(d, low.z, high.z, low.w, high.w, b.z, b.w);
}

__device__ __forceinline__ u32 packed(float low, float high) {  // two bfloat16
    u32 both;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
    return both;
}

__device__ __forceinline__ u32 operands(float low, float high) {  // two, as products take them
#if BFLOAT
    return packed(low, high);
#else
    u32 both;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
    return both;
#endif
}

__device__ __forceinline__ float exp2_(float x) { float y; asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x)); return y; }
__device__ __forceinline__ float inverse(float x) { float y; asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x)); return y; }

// Absolute error about 2e-7; with bfloat16 5e-4, an eighth of its spacing at 1.
__device__ __forceinline__ float tanh_(float x) {
#if BFLOAT
    float y;
    asm("tanh.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#else
    return 1.f - 2.f * inverse(1.f + exp2_(x * 2.8853900817779268f));
#endif
}
__device__ __forceinline__ float sigmoid_(float x) {
#if BFLOAT
    return 0.5f * tanh_(0.5f * x) + 0.5f;
#else
    return inverse(1.f + exp2_(x * -1.4426950408889634f));
#endif
}

__device__ __forceinline__ float number(T x) {
#if BFLOAT
    return __uint_as_float((u32)x << 16);
#else
    return x;
#endif
}
__device__ __forceinline__ T stored(float x) {
#if BFLOAT
    return (T)packed(x, 0.f);
#else
    return x;
#endif
}
// The four gates of a unit, side by side in memory.
constexpr int WORDS = BYTES;  // of 4 bytes
struct Gates {
    u32 words[WORDS];
    __device__ __forceinline__ float operator[](int k) const {
#if BFLOAT
        return __uint_as_float(k % 2 ? words[k / 2] & 0xffff0000u : words[k / 2] << 16);
#else
        return __uint_as_float(words[k]);
#endif
    }
    __device__ __forceinline__ void fetch(const T* p) {
#if BFLOAT
        asm volatile("ld.global.nc.L1::no_allocate.v2.u32 {%0,%1}, [%2];" : "=r"(words[0]), "=r"(words[1]) : "l"(p));
#else
        asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0,%1,%2,%3}, [%4];"
            : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3]) : "l"(p));
#endif
    }
};
__device__ __forceinline__ void store(T* p, float a, float b, float c, float d) {
#if BFLOAT
    asm volatile("st.global.v2.u32 [%0], {%1,%2};" :: "l"(p), "r"(packed(a, b)), "r"(packed(c, d)) : "memory");
#else
    asm volatile("st.global.v4.f32 [%0], {%1,%2,%3,%4};" :: "l"(p), "f"(a), "f"(b), "f"(c), "f"(d) : "memory");
#endif
}
__device__ __forceinline__ void store(T* p, float a, float b) {
#if BFLOAT
    asm volatile("st.global.u32 [%0], %1;" :: "l"(p), "r"(packed(a, b)) : "memory");
#else
    asm volatile("st.global.v2.f32 [%0], {%1,%2};" :: "l"(p), "f"(a), "f"(b) : "memory");
#endif
}
__device__ __forceinline__ T given(const T* p) {
    T x;
#if BFLOAT
    asm volatile("ld.global.nc.L1::no_allocate.u16 %0, [%1];" : "=h"(x) : "l"(p));
#else
    asm volatile("ld.global.nc.L1::no_allocate.f32 %0, [%1];" : "=f"(x) : "l"(p));
#endif
    return x;
}

// -- the cluster
__device__ __forceinline__ u32 rank_() { u32 r; asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(r)); return r; }
__device__ __forceinline__ u32 mapped(u32 local, u32 block) {
    u32 remote;
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(remote) : "r"(local), "r"(block));
    return remote;
}
__device__ __forceinline__ void everyone() {
    if (C == 1) {
        __syncthreads();
    } else {
        asm volatile("barrier.cluster.arrive.release.aligned;\n\tbarrier.cluster.wait.acquire.aligned;" ::: "memory");
    }
}
__device__ __forceinline__ void barrier_init(u32 barrier) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" :: "r"(barrier) : "memory");
}
__device__ __forceinline__ void expect(u32 barrier, u32 bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" :: "r"(barrier), "r"(bytes) : "memory");
}
__device__ __forceinline__ void wait(u32 barrier, u32 parity) {
    asm volatile(
        "{\n\t.reg .pred done;\n\tagain:\n\t"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n\t@!done bra again;\n\t}"
        :: "r"(barrier), "r"(parity) : "memory");
}
__device__ __forceinline__ void send(u32 remote, u32 value, u32 barrier) {
    asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.b32 [%0], %1, [%2];"
        :: "r"(remote), "r"(value), "r"(barrier) : "memory");
}
__device__ __forceinline__ void send(u32 remote, u32 first, u32 second, u32 barrier) {
    asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.b32 [%0], {%1, %2}, [%3];"
        :: "r"(remote), "r"(first), "r"(second), "r"(barrier) : "memory");
}

__device__ __forceinline__ uint4 read(u32 local) {
    uint4 v;
    asm volatile("ld.shared.v4.u32 {%0,%1,%2,%3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "r"(local));
    return v;
}
__device__ __forceinline__ float2 read_pair(u32 local) {
    float2 v;
    asm volatile("ld.shared.v2.f32 {%0,%1}, [%2];" : "=f"(v.x), "=f"(v.y) : "r"(local));
    return v;
}
__device__ __forceinline__ void write(u32 local, u32 value) { asm volatile("st.shared.u32 [%0], %1;" :: "r"(local), "r"(value) : "memory"); }
__device__ __forceinline__ void write(u32 local, u32 a, u32 b) { asm volatile("st.shared.v2.u32 [%0], {%1,%2};" :: "r"(local), "r"(a), "r"(b) : "memory"); }
__device__ __forceinline__ void write(u32 local, u32 a, u32 b, u32 c, u32 d) {
    asm volatile("st.shared.v4.u32 [%0], {%1,%2,%3,%4};" :: "r"(local), "r"(a), "r"(b), "r"(c), "r"(d) : "memory");
}

extern __shared__ __align__(1024) unsigned char memory[];

#ifdef LSTM_FORWARD
// -- forward
// z (steps, rows, H, 4): gates before activation, as far as they come from the inputs; h0, c0 (rows, H); weights as packed by
// whole.py: (H / 8, 2, blocks, 2, 32) times 16 bytes. Outputs hs, cs (steps, rows, H), gates (steps, rows, H, 4).
constexpr int FORWARD_BLOCKS = H * OB / 64, STATE = H * OB + 64;
constexpr int KF = KR < FORWARD_BLOCKS ? KR : FORWARD_BLOCKS;

extern "C" __global__ void __launch_bounds__(W * 32, 1)
lstm_forward(const T* z, const T* h0, const T* c0, const uint4* weights, int steps, int rows, T* hs, T* cs, T* gates) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
    const u32 rank = C == 1 ? 0 : rank_();
    const int first = (blockIdx.x / C) * N, unit = (rank * W + warp) * 8 + g;
    // shared memory: two barriers, the state twice, weights that are not in registers
    const u32 barrier = address(memory), state = barrier + 64, rest = state + 2 * N * STATE;
    const u32 bytes = N * H * OB;

    uint4 kept[2][KF][2];
    const uint4* own = weights + (u64)(rank * W + warp) * 2 * FORWARD_BLOCKS * 64 + lane;
    const u32 mine = rest + warp * (2 * (FORWARD_BLOCKS - KF) * 64 * 16) + lane * 16;
#pragma unroll
    for (int m = 0; m < 2; m++) {
#pragma unroll
        for (int k = 0; k < KF; k++) {
            kept[m][k][0] = own[(m * FORWARD_BLOCKS + k) * 64];
            kept[m][k][1] = own[(m * FORWARD_BLOCKS + k) * 64 + 32];
        }
#pragma unroll 4
        for (int k = KF; k < FORWARD_BLOCKS; k++) {
            uint4 low = own[(m * FORWARD_BLOCKS + k) * 64], high = own[(m * FORWARD_BLOCKS + k) * 64 + 32];
            u32 place = mine + (m * (FORWARD_BLOCKS - KF) + k - KF) * 1024;
            write(place, low.x, low.y, low.z, low.w);
            write(place + 512, high.x, high.y, high.z, high.w);
        }
    }
    for (int k = threadIdx.x; k < N * H; k += W * 32) {
        float x = number(h0[(u64)(first + k / H) * H + k % H]);
        u32 place = state + N * STATE + (k / H) * STATE + (k % H) * OB;
        asm volatile("st.shared.u16 [%0], %1;" :: "r"(place), "h"((unsigned short)operands(x, 0.f)) : "memory");
    }
    float c[NT][2];
#pragma unroll
    for (int n = 0; n < NT; n++)
#pragma unroll
        for (int e = 0; e < 2; e++) c[n][e] = number(c0[(u64)(first + 8 * n + 2 * t + e) * H + unit]);
#if MASKED
    float held[NT][2];
#pragma unroll
    for (int n = 0; n < NT; n++)
#pragma unroll
        for (int e = 0; e < 2; e++) held[n][e] = number(h0[(u64)(first + 8 * n + 2 * t + e) * H + unit]);
#endif
    if (C > 1 && threadIdx.x == 0) {
        barrier_init(barrier);
        barrier_init(barrier + 8);
        expect(barrier, bytes);
        expect(barrier + 8, bytes);
    }
    everyone();

    const u64 line = (u64)rows * H;
    const u64 corner = ((u64)first + 2 * t) * H + unit;
    // a thread writes two units of one row: it gives its neighbour (g ^ 1) the other row's
    const int odd = g & 1;
    const u64 pair = corner + odd * H - odd;

    auto fetch = [&](Gates (&ahead)[NT][2], int s) {
        const T* from = z + ((u64)min(s, steps - 1) * line + corner) * 4;
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int e = 0; e < 2; e++) ahead[n][e].fetch(from + (8 * n + e) * H * 4);
    };
    // one step; `inputs` are its gates as far as they come from the inputs, and then those of the step after next
    auto step = [&](int s, u32 turn, Gates (&inputs)[NT][2]) {
        float sums[2][NT][2][4];
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int m = 0; m < 2; m++)
#pragma unroll
                for (int k = 0; k < 8; k++) sums[m][n][k / 4][k % 4] = 0.f;
        if (C > 1 && s > 0) {
            wait(barrier + 8 * turn, ((s - 1) >> 1) & 1);
            if (threadIdx.x == 0) expect(barrier + 8 * turn, bytes);
        }
        const u32 before = state + turn * (N * STATE) + g * STATE + t * 16;
        uint4 b[2][NT];
#pragma unroll
        for (int n = 0; n < NT; n++) b[0][n] = read(before + n * 8 * STATE);
#pragma unroll
        for (int k = 0; k < FORWARD_BLOCKS; k++) {
            if (k + 1 < FORWARD_BLOCKS) {
#pragma unroll
                for (int n = 0; n < NT; n++) b[(k + 1) % 2][n] = read(before + n * 8 * STATE + (k + 1) * 64);
            }
#pragma unroll
            for (int m = 0; m < 2; m++) {
                uint4 low, high;
                if (k < KF) {
                    low = kept[m][k][0];
                    high = kept[m][k][1];
                } else {
                    low = read(mine + (m * (FORWARD_BLOCKS - KF) + k - KF) * 1024);
                    high = read(mine + (m * (FORWARD_BLOCKS - KF) + k - KF) * 1024 + 512);
                }
#pragma unroll
                for (int n = 0; n < NT; n++) product(sums[m][n][k % 2], low, high, b[k % 2][n]);
            }
        }
        const u32 after = state + (1 - turn) * (N * STATE);
        T* to_gates = gates + ((u64)s * line + corner) * 4;
        const u64 out = (u64)s * line + pair;
#pragma unroll
        for (int n = 0; n < NT; n++) {
            float h[2];
#pragma unroll
            for (int e = 0; e < 2; e++) {
#if GRU
                float i = sigmoid_(sums[0][n][0][e] + sums[0][n][1][e] + inputs[n][e][0]);          // z
                float f = sigmoid_(sums[0][n][0][2 + e] + sums[0][n][1][2 + e] + inputs[n][e][1]);  // r
                float a = sums[1][n][0][e] + sums[1][n][1][e] + inputs[n][e][2];                    // q
                float o = tanh_(inputs[n][e][3] + f * a);                                           // the candidate
                c[n][e] = i * c[n][e] + (1.f - i) * o;
                h[e] = c[n][e];
#else
                float i = sigmoid_(sums[0][n][0][e] + sums[0][n][1][e] + inputs[n][e][0]);
                float f = sigmoid_(sums[0][n][0][2 + e] + sums[0][n][1][2 + e] + inputs[n][e][1]);
                float a = tanh_(sums[1][n][0][e] + sums[1][n][1][e] + inputs[n][e][2]);
                float o = sigmoid_(sums[1][n][0][2 + e] + sums[1][n][1][2 + e] + inputs[n][e][3]);
#if MASKED
                if (inputs[n][e][1] > 1e29f) i = 0.f, f = 1.f, a = 0.f, o = -1.f;  // no gate is negative: the way back knows it
#endif
                c[n][e] = f * c[n][e] + i * a;
                h[e] = o * tanh_(c[n][e]);
#if MASKED
                held[n][e] = h[e] = o < 0.f ? held[n][e] : h[e];
#endif
#endif
#if SAVES
                store(to_gates + (8 * n + e) * H * 4, i, f, a, o);
#endif
            }
            float other_h = __shfl_xor_sync(0xffffffffu, odd ? h[0] : h[1], 4);
            float h_low = odd ? other_h : h[0], h_high = odd ? h[1] : other_h;
            const u32 to = after + (8 * n + 2 * t + odd) * STATE + (unit - odd) * OB;
            const u32 both = operands(h_low, h_high);
            if (C == 1) {
                write(to, both);
            } else if (s + 1 < steps) {
#pragma unroll
                for (int k = 0; k < C; k++) send(mapped(to, k), both, mapped(barrier + 8 * (1 - turn), k));
            }
            store(hs + out + 8 * n * H, h_low, h_high);
#if !GRU
            float other_c = __shfl_xor_sync(0xffffffffu, odd ? c[n][0] : c[n][1], 4);
            store(cs + out + 8 * n * H, odd ? other_c : c[n][0], odd ? c[n][1] : other_c);
#endif
        }
        fetch(inputs, s + 2);
        if (C == 1) __syncthreads();
    };

    Gates even[NT][2], uneven[NT][2];
    fetch(even, 0);
    fetch(uneven, 1);
    for (int s = 0; s < steps; s += 2) {
        step(s, 1, even);
        if (s + 1 < steps) step(s + 1, 0, uneven);
    }
    everyone();
}

#endif
#ifdef LSTM_BACKWARD
// -- backward
// gates, cs as forward wrote them; c0; gradients d_hs (steps, rows, H) of all outputs, d_h, d_c (rows, H) of the last states;
// weights as packed by whole.py: (C, H / 16, blocks, 2, 32) times 16 bytes. Outputs: d_z (steps, rows, H, 4), d_h0, d_c0 (rows, H).
// A block multiplies the gates' gradients of its own units, which gives parts of the sums for all units: every block gets those
// of its units and adds them up.
constexpr int GATES = 4 * U * OB, GRADIENT = GATES + 64;  // bytes of a row in shared memory, and of its place
constexpr int MANY = H / 16;                                    // tiles of 16 units of the sums
constexpr int HALVES = MANY < W ? W / MANY : 1;                 // warps that share a tile's inner dimension
constexpr int MT = MANY * HALVES / W;                           // tiles of a warp
constexpr int BACK_BLOCKS = GATES / 64 / HALVES;
constexpr int KB = KR < BACK_BLOCKS ? KR : BACK_BLOCKS;
constexpr int PARTS = C * HALVES;
constexpr int CHAINS = MT * NT == 1 ? 4 : 2;                  // sums side by side: an instruction waits for the last of its chain
constexpr int PART_LINE = NT % 2 ? N : N + 8;                   // floats between units of a part
constexpr int PART = U * PART_LINE * 4;                         // bytes of a part

extern "C" __global__ void __launch_bounds__(W * 32, 1)
lstm_backward(const T* gates, const T* cs, const T* c0, const T* d_hs, const T* d_h, const T* d_c, const uint4* weights,
              int steps, int rows, T* d_z, T* d_h0, T* d_c0) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
    const u32 rank = C == 1 ? 0 : rank_();
    const int first = (blockIdx.x / C) * N, local = warp * 8 + g, unit = rank * U + local;
    const u32 barrier = address(memory), gradient = barrier + 64, parts = gradient + 2 * N * GRADIENT;
    const u32 largest = parts + 2 * PARTS * PART, rest = largest + N * W * 4;
    const u32 bytes = PARTS * U * N * 4;
    const int half = warp / (W / HALVES), first_tile = (warp % (W / HALVES)) * MT;

    uint4 kept[MT][KB][2];
    const uint4* own = weights + ((u64)(rank * MANY + first_tile) * HALVES * BACK_BLOCKS + half * BACK_BLOCKS) * 64 + lane;
    const u32 mine = rest + warp * (MT * (BACK_BLOCKS - KB) * 64 * 16) + lane * 16;
#pragma unroll
    for (int m = 0; m < MT; m++) {
#pragma unroll
        for (int k = 0; k < KB; k++) {
            kept[m][k][0] = own[(m * HALVES * BACK_BLOCKS + k) * 64];
            kept[m][k][1] = own[(m * HALVES * BACK_BLOCKS + k) * 64 + 32];
        }
#pragma unroll 4
        for (int k = KB; k < BACK_BLOCKS; k++) {
            uint4 low = own[(m * HALVES * BACK_BLOCKS + k) * 64], high = own[(m * HALVES * BACK_BLOCKS + k) * 64 + 32];
            u32 place = mine + (m * (BACK_BLOCKS - KB) + k - KB) * 1024;
            write(place, low.x, low.y, low.z, low.w);
            write(place + 512, high.x, high.y, high.z, high.w);
        }
    }
    if (C > 1 && threadIdx.x == 0) {
        barrier_init(barrier);
        barrier_init(barrier + 8);
        expect(barrier, bytes);
        expect(barrier + 8, bytes);
    }
    everyone();

    const u64 line = (u64)rows * H, start = ((u64)first + 2 * t) * H + unit;
    struct Ahead {
        Gates gates[NT][2];
        T c[NT][2], d[NT][2];
    };
    float dh[NT][2], dc[NT][2], c[NT][2];  // of a GRU, dc is what passes by the products
#if MASKED
    float held[NT][2] = {};  // what passes by a masked step
#endif
    auto fetch = [&](Ahead& ahead, int s) {  // what step s needs
        s = max(s, 0);
        const T* from = gates + ((u64)s * line + start) * 4;
        const T* earlier = s > 0 ? cs + (u64)(s - 1) * line + start : c0 + start;
        const T* given_d = d_hs + (u64)s * line + start;
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int e = 0; e < 2; e++) {
                const int to = (8 * n + e) * H;
                ahead.gates[n][e].fetch(from + 4 * to);
                ahead.c[n][e] = given(earlier + to);
                ahead.d[n][e] = given(given_d + to);
            }
    };
#pragma unroll
    for (int n = 0; n < NT; n++)
#pragma unroll
        for (int e = 0; e < 2; e++) {
            const u64 at = start + (u64)(8 * n + e) * H;
            dh[n][e] = number(d_h[at]);
#if GRU
            dc[n][e] = 0.f;
#else
            dc[n][e] = number(d_c[at]);
            c[n][e] = number(cs[(u64)(steps - 1) * line + at]);
#endif
        }

    auto add_parts = [&](u32 turn) {  // the sums of this thread's units and rows
        const u32 from = parts + turn * (PARTS * PART) + (local * PART_LINE + 2 * t) * 4;
#pragma unroll
        for (int n = 0; n < NT; n++) {
            float2 sum = read_pair(from + n * 32);
#pragma unroll
            for (int k = 1; k < PARTS; k++) {
                float2 more = read_pair(from + n * 32 + k * PART);
                sum.x += more.x;
                sum.y += more.y;
            }
            dh[n][0] = sum.x;
            dh[n][1] = sum.y;
        }
    };

    // one step back; `now` is what it needs, and then what the step after next needs
    auto step = [&](int s, u32 turn, Ahead& now) {
        const int at = steps - 1 - s;
        if (s > 0) {
            if (C > 1) {
                wait(barrier + 8 * (1 - turn), ((s - 1) >> 1) & 1);
                if (threadIdx.x == 0) expect(barrier + 8 * (1 - turn), bytes);
            }
            add_parts(1 - turn);
        }
        const u32 to = gradient + turn * (N * GRADIENT) + 2 * t * GRADIENT + local * 4 * OB;
        T* out = d_z + ((u64)at * line + start) * 4;
#if !BFLOAT
        float d_gates[NT][2][4];
#endif
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int e = 0; e < 2; e++) {
                const Gates& y = now.gates[n][e];
#if GRU
                const float update = y[0], reset = y[1], q = y[2], candidate = y[3], before = number(now.c[n][e]);
                const float d = dh[n][e] + dc[n][e] + number(now.d[n][e]);
                const float d_o = d * (1.f - update) * (1.f - candidate * candidate), da = d_o * reset;
                const float di = d * (before - candidate) * update * (1.f - update), df = d_o * q * reset * (1.f - reset);
                dc[n][e] = d * update;
#else
                const float i = y[0], f = y[1], a = y[2], before = number(now.c[n][e]), through = tanh_(c[n][e]);
#if MASKED
                const float d = dh[n][e] + held[n][e] + number(now.d[n][e]), o = fmaxf(y[3], 0.f);
                held[n][e] = y[3] < 0.f ? d : 0.f;
#else
                const float d = dh[n][e] + number(now.d[n][e]), o = y[3];
#endif
                const float d_state = dc[n][e] + d * o * (1.f - through * through);
                const float di = d_state * a * i * (1.f - i), df = d_state * before * f * (1.f - f);
                const float da = d_state * i * (1.f - a * a), d_o = d * through * o * (1.f - o);
                dc[n][e] = d_state * f;
                c[n][e] = before;
#endif
                store(out + (8 * n + e) * H * 4, di, df, da, d_o);
#if BFLOAT
                write(to + (8 * n + e) * GRADIENT, operands(di, df), operands(da, d_o));
#else
                d_gates[n][e][0] = di, d_gates[n][e][1] = df, d_gates[n][e][2] = da, d_gates[n][e][3] = d_o;
                float most = fmaxf(fmaxf(fabsf(di), fabsf(df)), fmaxf(fabsf(da), fabsf(d_o)));
#pragma unroll
                for (int k = 4; k < 32; k *= 2) most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, k));
                if (g == 0) write(largest + ((8 * n + 2 * t + e) * W + warp) * 4, __float_as_uint(most));
#endif
            }
#if !BFLOAT
        // float16 has as many digits as TensorFloat-32, but few exponents: a row's largest gradient becomes 2^14 to 2^15
        float back[NT][2];
        __syncthreads();
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int e = 0; e < 2; e++) {
                u32 most = 15u << 23;  // bits of positive numbers are ordered as they are
#pragma unroll
                for (int k = 0; k < W; k += 4) {
                    const uint4 four = read(largest + ((8 * n + 2 * t + e) * W + k) * 4);
                    most = max(max(most, max(four.x, four.y)), max(four.z, four.w));
                }
                most >>= 23;
                const float factor = __uint_as_float((268 - most) << 23);
                back[n][e] = __uint_as_float((most - 14) << 23);
                const float* y = d_gates[n][e];
                write(to + (8 * n + e) * GRADIENT, operands(y[0] * factor, y[1] * factor), operands(y[2] * factor, y[3] * factor));
            }
#endif
        fetch(now, at - 2);
        __syncthreads();
        float sums[MT][NT][CHAINS][4];
#pragma unroll
        for (int m = 0; m < MT; m++)
#pragma unroll
            for (int n = 0; n < NT; n++)
#pragma unroll
                for (int k = 0; k < 4 * CHAINS; k++) sums[m][n][k / 4][k % 4] = 0.f;
        const u32 from = gradient + turn * (N * GRADIENT) + g * GRADIENT + half * (BACK_BLOCKS * 64) + t * 16;
        uint4 b[2][NT];
#pragma unroll
        for (int n = 0; n < NT; n++) b[0][n] = read(from + n * 8 * GRADIENT);
#pragma unroll
        for (int k = 0; k < BACK_BLOCKS; k++) {
            if (k + 1 < BACK_BLOCKS) {
#pragma unroll
                for (int n = 0; n < NT; n++) b[(k + 1) % 2][n] = read(from + n * 8 * GRADIENT + (k + 1) * 64);
            }
#pragma unroll
            for (int m = 0; m < MT; m++) {
                uint4 low, high;
                if (k < KB) {
                    low = kept[m][k][0];
                    high = kept[m][k][1];
                } else {
                    low = read(mine + (m * (BACK_BLOCKS - KB) + k - KB) * 1024);
                    high = read(mine + (m * (BACK_BLOCKS - KB) + k - KB) * 1024 + 512);
                }
#pragma unroll
                for (int n = 0; n < NT; n++) product(sums[m][n][k % CHAINS], low, high, b[k % 2][n]);
            }
        }
#pragma unroll
        for (int m = 0; m < MT; m++) {
            const int tile = first_tile + m;
            const u32 block = tile * 16 / U;
            const u32 base = parts + turn * (PARTS * PART) + (rank * HALVES + half) * PART + ((tile * 16) % U + g) * (PART_LINE * 4) + 8 * t;
            const u32 remote = C == 1 ? base : mapped(base, block), signal = C == 1 ? 0 : mapped(barrier + 8 * turn, block);
#pragma unroll
            for (int n = 0; n < NT; n++)
#pragma unroll
                for (int high = 0; high < 2; high++) {
                    float x = 0.f, y = 0.f;
#pragma unroll
                    for (int k = 0; k < CHAINS; k++) {
                        x += sums[m][n][k][2 * high];
                        y += sums[m][n][k][2 * high + 1];
                    }
#if !BFLOAT
                    x *= back[n][0];
                    y *= back[n][1];
#endif
                    const u32 p = __float_as_uint(x), q = __float_as_uint(y);
                    const u32 place = remote + n * 32 + high * (8 * PART_LINE * 4);
                    if (C == 1) {
                        write(place, p, q);
                    } else {
                        send(place, p, q, signal);
                    }
                }
        }
        if (C == 1) __syncthreads();
    };

    Ahead even, uneven;
    fetch(even, steps - 1);
    fetch(uneven, steps - 2);
    for (int s = 0; s < steps; s += 2) {
        step(s, 0, even);
        if (s + 1 < steps) step(s + 1, 1, uneven);
    }
    const u32 last = (steps - 1) & 1;
    if (C > 1) wait(barrier + 8 * last, ((steps - 1) >> 1) & 1);
    add_parts(last);
#pragma unroll
    for (int n = 0; n < NT; n++)
#pragma unroll
        for (int e = 0; e < 2; e++) {
            const u64 at = start + (u64)(8 * n + e) * H;
#if GRU
            d_h0[at] = stored(dh[n][e] + dc[n][e]);
#else
#if MASKED
            dh[n][e] += held[n][e];
#endif
            d_h0[at] = stored(dh[n][e]);
            d_c0[at] = stored(dc[n][e]);
#endif
        }
    everyone();
}
#endif
