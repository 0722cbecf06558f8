#!/usr/bin/env bash
# Measures on a machine with GPUs and without a package registry: JAX and PyTorch are there, the rest comes as wheels.
#   tools/gpu_bench.sh WHAT [WHEELS]     from the top of the checkout; results in $OUT (default: gpu_bench)
# ROUNDS, STEPS, PRECISION and WORKS ("seed 256,large 128") say what is measured, and how much; a contender takes 20 s a round, on several GPUs 40 s.
# TensorFlow takes part where PYTHONPATH has it. Times as seen on two H100s and 32 slow cores:
# starts    six runs on all GPUs, none with compiled code to begin with: fails one, and why? 2 minutes
# check     cuDNN's LSTM under masks, N GPUs against one                                   1 minute
# certify   certificates of the examples on all GPUs, both engines, all at once            2 minutes
# exact     TensorFloat-32's flags, one GPU against the CPU with both engines, and what a run on a GPU generates; 4 minutes
# advise    what the GPUs are worth for the molecules, thrice: cold, and with code kept    1 minute
# auto      which engine a long training of the molecules takes on all GPUs, and why; with TensorFlow, 1 minute
# bench     the product and the prototype in turns on all GPUs, the four workloads         10 minutes with ROUNDS=3
# peers     the product, PyTorch and plain Keras on all GPUs; STEPS=50 is enough          10 minutes
# graph     the product and PyTorch with its step as a CUDA graph on the first GPU           4 minutes
# whole     the kernels for whole sequences: right, fast, and what compute-sanitizer says   2 minutes
# generate  generating: the product, and samplers by hand in JAX and as a CUDA graph, on the first GPU; SIZES  2 minutes
# warm      the first step and generating from a warm worker beside new processes           2 minutes
# scaling   the product on the first GPU and on all, PyTorch (graph and DDP) on all         9 minutes
# engines   the product with both engines on all GPUs                                      4 minutes
# one       the product on the first GPU                                                   3 minutes
# variants  the engine's tunings and bfloat16                                              5 minutes
# kernels   the kernels of a training step, of VARIANTS                                     2 minutes
# flags     XLA flags                                                                      5 minutes
# tilings   two kernels for a product against all, engine alone                            4 minutes
# memory    what the first GPU's memory holds before, during and after runs that finish, stop, pause and are killed; 3 minutes
# intervals the product with intervals of 0.2 s and of 1 s in turns, on all GPUs                  4 minutes with ROUNDS=1
# messages  what is slower after the first step on all GPUs, and what the messages cost    4 minutes
set -u
what=${1:?starts, check, whole, warm, certify, exact, advise, auto, bench, peers, graph, generate, scaling, engines, one, variants, kernels, flags, tilings, memory, intervals or messages}
wheels=${2:-.whl}
out=${OUT:-gpu_bench}
python=${PYTHON:-python3}
site=${SITE:-/tmp/site}
mkdir -p "$out"
if [ -d "$wheels" ] && [ ! -e "$site/keras" ]; then
    "$python" -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade --target "$site" "$wheels"/*.whl || exit 1
fi
export PYTHONPATH="$PWD:$site${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 TF_CPP_MIN_LOG_LEVEL=2
# SEQDEC_GUI_WHOLE_SEQUENCE_KERNELS: 0 for the loops, "one" for the loops on several GPUs
export XDG_CACHE_HOME=${XDG_CACHE_HOME:-/tmp/seqdec-gui-cache}
count=$(nvidia-smi --list-gpus | wc -l)
gpus=$(seq -s, 0 $((count - 1)) | sed 's/[0-9]*/gpu:&/g')
IFS=, read -ra works <<< "${WORKS:-seed 256,smiles 256,large 128,seed 2048}"
indices=$(seq -s, 0 $((count - 1)))
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader | tee "$out/machine.txt"
"$python" -c 'import jax, keras, sys; print("jax", jax.__version__, "python", sys.version.split()[0])' 2>/dev/null | tee -a "$out/machine.txt"

job() { # SIZE BATCH STEPS
    echo "{\"size\":\"$1\",\"devices\":{\"kind\":\"gpu\",\"count\":1,\"gpus\":[$indices]},\"per_device_batch\":$2,\"steps\":$3}"
}
on_jax() {
    KERAS_BACKEND=jax JAX_PLATFORMS=cuda,cpu XLA_PYTHON_CLIENT_PREALLOCATE=false "$@"
}
product() { # DEVICES ENGINES PEERS ROUNDS NAME
    for work in "${works[@]}"; do
        # shellcheck disable=SC2086
        set -- "$1" "$2" "$3" "$4" "$5" $work
        "$python" -m seqdec_gui bench --size "$6" --per-device-batch "$7" --devices "$1" --engines "$2" --peers "$3" \
            --rounds "$4" --steps "${STEPS:-100}" --precision "${PRECISION:-float32}" --json "$out/$5-$6-$7.json" 2>&1 | tee -a "$out/$5.txt"
    done
}

tilings() { # HOW MANY: kernels that XLA may try for a product (docs/decisions/0017)
    echo "--xla_gpu_experimental_cost_model_gemm_tiling_options=top=$1,top_from_default=1"
}
with_flags() { # FLAGS VARIANTS "SIZE BATCH"...
    flags=$1
    names=$2
    shift 2
    echo "flags: $flags" | tee -a "$out/flags.txt"
    for work in "$@"; do
        # shellcheck disable=SC2086
        set -- $work
        # shellcheck disable=SC2086
        XDG_CACHE_HOME=$(mktemp -d) XLA_FLAGS="$flags" on_jax timeout 150 "$python" -m seqdec_gui.runner.bench.variants \
            "$(job "$1" "$2" 104)" "$(mktemp -d)" $names 2>> "$out/flags.log" | tee -a "$out/flags.txt"
    done
}

case $what in
    starts)
        for turn in 1 2 3 4 5 6; do
            size=$([ $((turn % 2)) = 1 ] && echo seed || echo smiles)
            XDG_CACHE_HOME=$(mktemp -d) timeout 90 "$python" -m seqdec_gui bench --size "$size" --per-device-batch 256 --devices "$gpus" \
                --engines jax --peers none --rounds 1 --steps 100 2>&1 | sed "s/^/$turn: /" | tee -a "$out/starts.txt"
        done
        ;;
    check)
        folder=$(mktemp -d)
        on_jax "$python" -m seqdec_gui.runner.bench.check_gpu "$(job seed 256 20)" "$folder" 2>&1 | tee "$out/check.txt"
        ;;
    whole)
        on_jax "$python" -m seqdec_gui.runner.bench.check_whole 2>> "$out/whole.log" | tee "$out/whole.txt"
        for tool in memcheck synccheck; do  # racecheck breaks down itself (2025.3.1)
            for units in ${UNITS:-64}; do
                found=$(CUDA_MODULE_LOADING=EAGER on_jax timeout 150 compute-sanitizer --tool "$tool" --kernel-name kernel_substring=lstm_ \
                    "$python" -m seqdec_gui.runner.bench.check_whole --quick "$units" 2>&1)
                echo "$tool, $units units: $(grep -E '^=+ ERROR SUMMARY|differs|^Error|Invalid' <<< "$found" | tail -4 | tr '\n' ' ')" | tee -a "$out/whole.txt"
            done
        done
        ;;
    warm)
        for design in roman molecules; do
            timeout 250 "$python" tools/measure_warm_starts.py gpu:0 jax "resources/examples/$design.seqdec" 2>&1 | tee -a "$out/warm.txt"
        done
        ;;
    certify)
        for design in digits "pronunciation --set encoder.mask_padding=true" molecules "molecules --set model_1.cell=GRU --set model_2.cell=GRU"; do
            for engine in jax tensorflow; do
                # shellcheck disable=SC2086
                set -- $design
                name=$1
                shift
                (
                    found=$(timeout 200 "$python" -m seqdec_gui certify "resources/examples/$name.seqdec" --devices "$gpus" --engine "$engine" "$@" 2>&1)
                    echo "$name $* $engine: $(tail -1 <<< "$found")" | tee -a "$out/certify.txt"
                ) &
            done
        done
        wait
        ;;
    exact)
        "$python" tools/exact_on_gpu.py gpu:0 resources/examples/molecules.seqdec resources/examples/digits.seqdec 2>&1 | tee "$out/exact.txt"
        for engine in jax tensorflow; do
            folder=$(mktemp -d)
            "$python" -m seqdec_gui train resources/examples/molecules.seqdec --devices gpu:0 --engine "$engine" --epochs 1 \
                --run "$folder/run" > "$folder/log.txt" 2>&1 || { echo "$engine: no run: $(tail -1 "$folder/log.txt")" | tee -a "$out/exact.txt"; continue; }
            for device in default cpu; do
                SECONDS=0
                # shellcheck disable=SC2046
                "$python" -m seqdec_gui generate "$folder/run" --split validation -o "$folder/$device.csv" \
                    $([ "$device" = cpu ] && echo --devices cpu) > /dev/null 2> "$folder/$device.txt"
                echo "$engine: generated on $device in $SECONDS s: $(tail -1 "$folder/$device.txt")" | tee -a "$out/exact.txt"
                # shellcheck disable=SC2046
                "$python" -m seqdec_gui evaluate "$folder/run" --split validation $([ "$device" = cpu ] && echo --devices cpu) 2>&1 |
                    sed "s/^/$engine, $device: /" | tee -a "$out/exact.txt"
            done
            differ=$(diff <(cut -d, -f3 "$folder/default.csv") <(cut -d, -f3 "$folder/cpu.csv") | grep -c '^<')
            echo "$engine: $differ of $(($(wc -l < "$folder/cpu.csv") - 1)) texts differ between the GPU and the CPU" | tee -a "$out/exact.txt"
        done
        ;;
    advise)
        for turn in cold warm kept; do  # the second compiles steps without reduction, the third nothing
            SECONDS=0
            "$python" -m seqdec_gui advise resources/examples/molecules.seqdec --devices "$gpus" 2>&1 | tee "$out/advise-$turn.txt"
            echo "$turn: $SECONDS s" | tee -a "$out/advise-$turn.txt"
        done
        ;;
    auto)
        timeout -s INT 70 "$python" -m seqdec_gui train resources/examples/molecules.seqdec --devices "$gpus" --engine auto \
            --epochs 100000 --run "$(mktemp -d)/run" 2>&1 | sed -n 1,8p | tee "$out/auto.txt"
        ;;
    bench) product "$gpus" jax prototype "${ROUNDS:-1}" bench ;;
    peers) product "$gpus" jax torch-ddp,keras-fit:tensorflow 1 peers ;;
    scaling)
        for work in "${works[@]}"; do
            # shellcheck disable=SC2086
            set -- $work
            for devices in "$gpus" gpu:0; do
                peers=$([ "$devices" = gpu:0 ] && echo torch-graph || echo torch-graph,torch-ddp)
                timeout "$((170 * ${ROUNDS:-1}))" "$python" -m seqdec_gui bench --size "$1" --per-device-batch "$2" --devices "$devices" --engines jax \
                    --peers "$peers" --rounds "${ROUNDS:-1}" --steps "${STEPS:-100}" --json "$out/scaling-$1-$2-$devices.json" 2>&1 |
                    tee -a "$out/scaling.txt"
            done
        done
        ;;
    graph) product gpu:0 jax torch-graph "${ROUNDS:-3}" graph ;;
    generate)
        for size in ${SIZES:-seed}; do
            timeout "${LIMIT:-110}" "$python" -m seqdec_gui bench --generate --size "$size" --devices gpu:0 --rounds "${ROUNDS:-1}" \
                --json "$out/generate-$size.json" 2>&1 | tee -a "$out/generate.txt"
        done
        ;;
    engines) product "$gpus" jax,tensorflow none 1 engines ;;
    one) product gpu:0 jax none 1 one ;;
    kernels)
        folder=$(mktemp -d)
        for work in "${works[@]}"; do
            # shellcheck disable=SC2086
            set -- $work
            # shellcheck disable=SC2086
            on_jax timeout 150 "$python" -m seqdec_gui.runner.bench.kernels "$(job "$1" "$2" 16)" "$folder" ${VARIANTS:-float32-1 bfloat16-1} \
                2>> "$out/kernels.log" | tee -a "$out/kernels.txt"
        done
        ;;
    variants)
        folder=$(mktemp -d)
        for work in "seed 256" "large 128" "smiles 256" "seed 2048"; do
            # shellcheck disable=SC2086
            set -- $work
            on_jax timeout 150 "$python" -m seqdec_gui.runner.bench.variants "$(job "$1" "$2" 104)" "$folder" \
                float32 bfloat16 float32-whole0 bfloat16-whole0 float32-cudnn1 float32-whole0-unroll16 2>> "$out/variants.log" | tee -a "$out/variants.txt"
        done
        ;;
    flags)
        graphs="--xla_gpu_enable_command_buffer=FUSION,CUBLAS,CUBLASLT,CUSTOM_CALL,CUDNN"
        for flags in "" "$graphs,COLLECTIVES" "$graphs,COLLECTIVES,WHILE" \
            "$graphs,COLLECTIVES,WHILE --xla_gpu_command_buffer_unroll_loops=true" \
            "--xla_gpu_unsupported_use_all_reduce_one_shot_kernel=true" "--xla_gpu_disable_async_collectives=ALLREDUCE" \
            "--xla_gpu_enable_latency_hiding_scheduler=true"; do
            with_flags "$flags" "float32 bfloat16" "seed 256" "large 128"
        done
        ;;
    tilings)
        for top in 99 2; do
            with_flags "$(tilings $top)" float32 "seed 256" "smiles 256" "large 128" "seed 2048"
        done
        ;;
    memory)
        for engine in jax tensorflow; do
            echo "$engine" | tee -a "$out/memory.txt"
            timeout 280 "$python" tools/gpu_memory.py --engine "$engine" 2>&1 | tee -a "$out/memory.txt"
        done
        ;;
    intervals)  # two trees that differ in one constant, in turns: other visits have other clocks
        slow=$(mktemp -d)
        cp -r seqdec_gui resources "$slow"
        here=$(realpath "$out")
        sed -i 's/^MAX_INTERVAL_S = .*/MAX_INTERVAL_S = 1.0/' "$slow/seqdec_gui/runner/loop.py"
        grep -H '^MAX_INTERVAL_S' seqdec_gui/runner/loop.py "$slow/seqdec_gui/runner/loop.py" | tee "$out/intervals.txt"
        for round in $(seq "${ROUNDS:-3}"); do
            for tree in "$PWD" "$slow" "$slow" "$PWD"; do
                name=$([ "$tree" = "$PWD" ] && echo 0.2 || echo 1.0)
                for work in "${works[@]}"; do
                    # shellcheck disable=SC2086
                    set -- $work
                    (cd "$tree" && PYTHONPATH="$tree:$PYTHONPATH" timeout 120 "$python" -m seqdec_gui bench --size "$1" --per-device-batch "$2" \
                        --devices "$gpus" --engines jax --peers none --rounds 1 --steps "${STEPS:-400}" \
                        --json "$here/intervals-$name-$1-$2-$round-$SECONDS.json") 2>&1 | sed "s/^/intervals of $name s, round $round: /" |
                        tee -a "$out/intervals.txt"
                done
            done
        done
        ;;
    messages)
        in_turns="float32-1-fixed1 float32-apart float32 float32-apart float32-1-fixed1"
        with_flags "$(tilings 2)" "$in_turns" "smiles 256"
        echo "CUDA_DEVICE_MAX_CONNECTIONS=1" | tee -a "$out/flags.txt"
        CUDA_DEVICE_MAX_CONNECTIONS=1 with_flags "$(tilings 2)" "$in_turns" "smiles 256"
        ;;
    *) echo "unknown: $what" >&2; exit 2 ;;
esac
