# Projects that use dimity the ways its users do; see tests/consumer/.
set(consumer_dir "${CMAKE_CURRENT_SOURCE_DIR}/consumer")
set(work_dir "${CMAKE_CURRENT_BINARY_DIR}/consumers")
set(prefix "${work_dir}/prefix")
set(consumer_options -G "${CMAKE_GENERATOR}" "-DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}" "-DDIMITY_XSIMD_INCLUDE_DIR=${DIMITY_XSIMD_INCLUDE_DIR}")

# Configures and builds tests/consumer/<project> afresh in <name>'s own folder.
function(add_consumer name project)
  add_check("consumer/${name}" "${CMAKE_CTEST_COMMAND}" --build-and-test "${consumer_dir}/${project}" "${work_dir}/${name}" --build-generator
            "${CMAKE_GENERATOR}" --build-options ${consumer_options} ${ARGN})
endfunction()

add_consumer(add_subdirectory app "-DDIMITY_SOURCE_DIR=${PROJECT_SOURCE_DIR}" --test-command app)
add_consumer(dispatch_from_sources dispatch "-DDIMITY_SOURCE_DIR=${PROJECT_SOURCE_DIR}" --test-command dispatch)
# As on processors and with compilers that have one version only.
add_consumer(dispatch_to_one_version dispatch "-DDIMITY_SOURCE_DIR=${PROJECT_SOURCE_DIR}" -DDIMITY_CAN_DISPATCH=OFF --test-command dispatch)

if(DIMITY_NVCC)
  add_consumer(cuda_from_sources cuda "-DDIMITY_SOURCE_DIR=${PROJECT_SOURCE_DIR}" "-DCMAKE_CUDA_COMPILER=${DIMITY_NVCC}" -DCMAKE_CUDA_ARCHITECTURES=90-real --test-command cuda_app)
endif()

if(DIMITY_INSTALL)
  add_check("consumer/install" "${CMAKE_COMMAND}" --install "${PROJECT_BINARY_DIR}" --prefix "${prefix}")
  set_tests_properties("consumer/install" PROPERTIES FIXTURES_SETUP installed)

  add_consumer(find_package app "-DCMAKE_PREFIX_PATH=${prefix}" --test-command app)

  add_consumer(dispatch_of_package dispatch "-DCMAKE_PREFIX_PATH=${prefix}" --test-command dispatch)

  # A library that links dimity must be installable itself, and its users must find dimity through it.
  add_consumer(exporting_library library "-DCMAKE_PREFIX_PATH=${prefix}" "-DCMAKE_INSTALL_PREFIX=${work_dir}/library_prefix" --build-target install)
  set_tests_properties("consumer/exporting_library" PROPERTIES FIXTURES_SETUP library)
  add_consumer(library_user library_user "-DCMAKE_PREFIX_PATH=${prefix}" "-Dmodel_DIR=${work_dir}/library_prefix/share/cmake/model"
               --test-command library_user)
  set_tests_properties("consumer/library_user" PROPERTIES FIXTURES_REQUIRED library)

  find_package(PkgConfig QUIET)
  if(PKG_CONFIG_FOUND)
    add_check("consumer/pkg-config" Python3::Interpreter "${script_dir}/pkg_config.py" "${PKG_CONFIG_EXECUTABLE}" "${prefix}" "${PROJECT_VERSION}"
              "${CMAKE_CXX_COMPILER}" "${consumer_dir}/app")
    set_property(TEST "consumer/pkg-config" APPEND PROPERTY FIXTURES_REQUIRED installed)
  endif()
  set(cuda_of_package)
  if(DIMITY_NVCC)
    set(cuda_of_package cuda_of_package)
    add_consumer(cuda_of_package cuda "-DCMAKE_PREFIX_PATH=${prefix}" "-DCMAKE_CUDA_COMPILER=${DIMITY_NVCC}" -DCMAKE_CUDA_ARCHITECTURES=90-real --test-command cuda_app)
  endif()
  foreach(name find_package dispatch_of_package exporting_library library_user ${cuda_of_package})
    set_property(TEST "consumer/${name}" APPEND PROPERTY FIXTURES_REQUIRED installed)
  endforeach()
endif()
