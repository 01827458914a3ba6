# Sourced by gpu_test.sh and gpu_bench.sh, in the project's folder.
# A machine that can install nothing finds xsimd, doctest and Google Benchmark in build/gpu_packages, which `gpu_build.sh collect` fills from this machine's Debian packages; it is copied along.
command -v nvcc >/dev/null || export PATH="$PATH:/usr/local/cuda/bin"

collect_gpu_packages() {
  local to=build/gpu_packages file
  rm -rf "$to"
  mkdir -p "$to"
  dpkg-query -f '${Package}\n' -W libxsimd-dev doctest-dev 'libbenchmark*' | xargs dpkg -L | grep -E '^/usr/(include|lib)/' | while read -r file; do
    [ -d "$file" ] || { mkdir -p "$to$(dirname "$file")" && cp -L "$file" "$to$file"; }
  done
  du -sh "$to"
}

# usage: configure_for_gpu FOLDER CMAKE OPTIONS...    sets with_cublas where the toolkit has the library
configure_for_gpu() {
  local folder=$1 architectures
  shift
  command -v nvcc >/dev/null || { echo "No nvcc: install the CUDA toolkit"; exit 1; }
  architectures=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1 | tr -d .)
  with_cublas=
  if [ -e "$(dirname "$(readlink -f "$(command -v nvcc)")")/../lib64/libcublasLt.so" ]; then with_cublas=yes; else echo "without cuBLASLt, which is not beside nvcc"; fi
  cmake -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release -DDIMITY_CUDA=ON -DDIMITY_CUBLAS="${with_cublas:-OFF}" -DDIMITY_BUILD_EXAMPLES=OFF "$@" ${architectures:+-DCMAKE_CUDA_ARCHITECTURES="$architectures-real"} \
    ${GPU_PACKAGES:+-DCMAKE_PREFIX_PATH="$GPU_PACKAGES/usr"} >"$folder.log" 2>&1 || { tail -n 30 "$folder.log"; exit 1; }
}
if [ -d build/gpu_packages ]; then GPU_PACKAGES=$PWD/build/gpu_packages; else GPU_PACKAGES=; fi
mkdir -p build

if [ "${BASH_SOURCE[0]}" = "$0" ] && [ "${1:-}" = collect ]; then collect_gpu_packages; fi
