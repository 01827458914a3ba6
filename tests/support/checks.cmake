# Tests that call compilers themselves, whatever this build was configured with.
find_program(DIMITY_GXX g++)
find_program(DIMITY_CLANGXX NAMES clang++-19 clang++-20 clang++-21)

# -O1: without optimisation g++ 12 sees intrinsics as macros, and xsimd 8.1 does not compile for AVX-512.
set(check_flags -std=c++20 -O1 -march=native -Wall -Wextra "-I${PROJECT_SOURCE_DIR}/include")
if(NOT DIMITY_XSIMD_INCLUDE_DIR STREQUAL "/usr/include")
  list(APPEND check_flags -isystem "${DIMITY_XSIMD_INCLUDE_DIR}")
endif()
# For interop/eigen.hpp; find_package(Eigen3) is in tests/CMakeLists.txt.
if(TARGET Eigen3::Eigen)
  get_target_property(eigen_dirs Eigen3::Eigen INTERFACE_INCLUDE_DIRECTORIES)
  foreach(dir IN LISTS eigen_dirs)
    list(APPEND check_flags -isystem "${dir}")
  endforeach()
endif()
set(check_flags_g++ ${check_flags} -fconstexpr-ops-limit=1000000000 -fconstexpr-loop-limit=10000000)
set(check_flags_clang++ ${check_flags} -fconstexpr-steps=100000000 -fbracket-depth=1024)

function(add_check name)
  add_test(NAME "${name}" COMMAND ${ARGN})
  set_tests_properties("${name}" PROPERTIES LABELS checks SKIP_RETURN_CODE 77 TIMEOUT 900)
endfunction()

set(script_dir "${CMAKE_CURRENT_SOURCE_DIR}/support")
file(GLOB compile_fail_sources CONFIGURE_DEPENDS compile_fail/*.cpp)
if(NOT TARGET Eigen3::Eigen)
  list(FILTER compile_fail_sources EXCLUDE REGEX "/eigen_[^/]*$")
endif()

foreach(compiler g++ clang++)
  string(REPLACE "++" "XX" variable "${compiler}")
  string(TOUPPER "DIMITY_${variable}" variable)
  if(NOT ${variable})
    continue()
  endif()
  set(command "${${variable}}" ${check_flags_${compiler}})

  # The library's header, read once for all programs that must not compile: that is most of what each of them costs.
  set(header "${PROJECT_SOURCE_DIR}/include/dimity/dimity.hpp")
  set(precompiled "${CMAKE_CURRENT_BINARY_DIR}/dimity.pch")
  set(use_header -include-pch "${precompiled}")
  if(compiler STREQUAL "g++")
    set(header "${CMAKE_CURRENT_BINARY_DIR}/precompiled/dimity.hpp")
    file(WRITE "${header}" "#include <dimity/dimity.hpp>\n")
    set(precompiled "${header}.gch")
    set(use_header -include "${header}")
  endif()
  add_check("precompiled header (${compiler})" ${command} -x c++-header "${header}" -o "${precompiled}")
  set_tests_properties("precompiled header (${compiler})" PROPERTIES FIXTURES_SETUP "header_${variable}")

  if(compiler STREQUAL "g++")
    add_check("compile_fail without the mistakes" Python3::Interpreter "${script_dir}/compile_fixed.py" ${compile_fail_sources} -- ${command})
  endif()
  foreach(source IN LISTS compile_fail_sources)
    cmake_path(GET source STEM name)
    # One compiler, and one program of all, is enough to know that nothing else is wrong; but not where macros change the library.
    file(STRINGS "${source}" macros REGEX "^#define")
    set(only_mistake --only-mistake)
    if(macros AND compiler STREQUAL "g++")
      set(only_mistake)
    endif()
    set(header_of_test ${use_header})
    if(macros)
      set(header_of_test)
    endif()
    add_check("compile_fail/${name} (${compiler})" Python3::Interpreter "${script_dir}/compile_fail.py" "${source}" ${only_mistake} -- ${command} ${header_of_test})
    if(NOT macros)
      set_tests_properties("compile_fail/${name} (${compiler})" PROPERTIES FIXTURES_REQUIRED "header_${variable}")
    endif()
  endforeach()
endforeach()

# Which headers a header includes does not depend on the compiler.
add_check("headers/each compiles alone" Python3::Interpreter "${script_dir}/headers.py" "${PROJECT_SOURCE_DIR}/include" -- "${DIMITY_GXX}" ${check_flags_g++} -Wpedantic -Werror)
set_tests_properties("headers/each compiles alone" PROPERTIES PROCESSORS 2)

add_check("peers_runner" Python3::Interpreter "${script_dir}/peers_runner.py" "${PROJECT_SOURCE_DIR}")

add_check("error_ids" Python3::Interpreter "${script_dir}/error_ids.py" "${PROJECT_SOURCE_DIR}")

add_check("docs_snippets" Python3::Interpreter "${script_dir}/docs_snippets.py" "${PROJECT_SOURCE_DIR}" -- ${DIMITY_GXX} ${check_flags_g++} -pthread)
set_tests_properties("docs_snippets" PROPERTIES PROCESSORS 2)
add_check("cheat_sheet" Python3::Interpreter "${script_dir}/cheat_sheet.py" "${PROJECT_SOURCE_DIR}" -- ${DIMITY_GXX} ${check_flags_g++})

# Reported as skipped where there is no CUDA toolkit.
find_program(DIMITY_NVCC nvcc HINTS /usr/local/cuda/bin)
if(DIMITY_NVCC)
  set(nvcc_flags -std=c++20 -O1 -Xcudafe --max_cost_constexpr_call=2000000000 -Werror all-warnings -Xcompiler -march=native,-Wall,-Wextra,-fconstexpr-ops-limit=1000000000,-fconstexpr-loop-limit=10000000)
  add_check("nvcc/on this machine" "${script_dir}/cuda_program.sh" "${CMAKE_CURRENT_BINARY_DIR}/nvcc_on_this_machine" "${DIMITY_NVCC}" ${nvcc_flags} "-I${PROJECT_SOURCE_DIR}/include" "${CMAKE_CURRENT_SOURCE_DIR}/cuda/umbrella.cu")
  add_check("cuda/machine code" Python3::Interpreter "${script_dir}/sass.py" "${CMAKE_CURRENT_SOURCE_DIR}/cuda/kernels.cu" "${PROJECT_SOURCE_DIR}/include" -- "${DIMITY_NVCC}" ${nvcc_flags})
  add_check("cuda/training" "${script_dir}/cuda_program.sh" "${CMAKE_CURRENT_BINARY_DIR}/cuda_training" "${DIMITY_NVCC}" ${nvcc_flags} -arch=sm_90 "-I${PROJECT_SOURCE_DIR}/include" "${CMAKE_CURRENT_SOURCE_DIR}/cuda/training.cu")
else()
  foreach(name IN ITEMS "nvcc/on this machine" "cuda/machine code" "cuda/training")
    add_check("${name}" sh -c "echo no nvcc && exit 77")
  endforeach()
endif()

include("${CMAKE_CURRENT_LIST_DIR}/consumers.cmake")
