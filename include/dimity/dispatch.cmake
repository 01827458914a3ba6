# dimity_dispatch(), which compiles sources for several instruction sets (docs/dispatch.md). The package and the project include this file; a project that copied include/ may too.
# Run as a script, by the build, it makes one object of what was compiled for one instruction set.

# Code for an instruction set must not be reached but through the dispatched functions. Functions that are not dimity's (templates of the standard library, inline functions of headers) are in the object too, under the same names
# as in all other objects of the program, and linkers keep one of them for all. So the object's own functions and constants become local to it. Variables stay one for the whole program, as the language has it: they hold no code.
# What would run at the start of the program moves to a section of its own; dispatch.hpp runs that when it has chosen this instruction set. Initialisers with a priority stay: they are sanitizers' and coverage's.
if(CMAKE_SCRIPT_MODE_FILE)
  # Within groups the linker would still take one of several functions of a name, local or not.
  execute_process(COMMAND "${LINKER}" -r --force-group-allocation -o "${OUTPUT}" ${OBJECTS} COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND "${OBJDUMP}" --syms --wide "${OUTPUT}" OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)

  set(entries 0)
  # objcopy takes no empty lists.
  set(shared "# weak from now on\n")
  set(own "# local from now on\n")
  string(REGEX MATCHALL "[^\n]+" symbols "${symbols}")
  foreach(symbol IN LISTS symbols)
    # value, flags, section, size, visibility, name
    if(NOT symbol MATCHES "^[0-9a-f]+ ([gu! ])(.).....[ ]([^ \t]+)[ \t]+[0-9a-f]+ +(\\.[a-z]+ +)?([^ ]+)$" OR CMAKE_MATCH_1 STREQUAL " " AND NOT CMAKE_MATCH_2 STREQUAL "w")
      continue()
    endif()
    set(section "${CMAKE_MATCH_3}")
    set(name "${CMAKE_MATCH_5}")
    if(section STREQUAL "*UND*" OR section STREQUAL "*COM*")
      continue()
    elseif(name MATCHES "dimity_${ARCHITECTURE}_version_of_" AND section MATCHES "^\\.text")
      math(EXPR entries "${entries} + 1")
    elseif(name MATCHES "^_ZT[IS]" OR section MATCHES "^\\.(l?data|l?bss|tdata|tbss)" AND NOT section MATCHES "^\\.l?data\\.rel\\.ro")
      string(APPEND shared "${name}\n")
    else()
      string(APPEND own "${name}\n")
    endif()
  endforeach()
  if(entries EQUAL 0)
    file(REMOVE "${OUTPUT}")
    message(FATAL_ERROR "dimity_dispatch: no DIMITY_DISPATCH in the sources")
  endif()

  file(WRITE "${OUTPUT}.shared" "${shared}")
  file(WRITE "${OUTPUT}.own" "${own}")
  execute_process(
    COMMAND "${OBJCOPY}" "--weaken-symbols=${OUTPUT}.shared" "--localize-symbols=${OUTPUT}.own" --rename-section
            ".init_array=dimity_initialize_${ARCHITECTURE}" "${OUTPUT}" COMMAND_ERROR_IS_FATAL ANY)
  return()
endif()

# dimity_dispatch(<target> SOURCES <file>... [ARCHITECTURES <name>...])
#
# Adds the files to the target, an executable or a library of this directory, and compiles them once more for each of the instruction sets avx2, avx2_vnni, avx512, avx512_vnni, avx512_bf16 (default: avx2 avx512), with all that the target is compiled with.
# Where that cannot be (other processors than x86-64, other systems than Linux, other compilers than g++ and clang) they are compiled once, and dispatched functions are ordinary ones.
function(dimity_dispatch target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;ARCHITECTURES")
  if(NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "usage: dimity_dispatch(<target> SOURCES <file>... [ARCHITECTURES <name>...])")
  endif()
  get_target_property(directory ${target} SOURCE_DIR)
  if(NOT directory STREQUAL CMAKE_CURRENT_SOURCE_DIR)
    message(FATAL_ERROR "dimity_dispatch: call it in the directory of ${target}, ${directory}")
  endif()
  if(NOT arg_ARCHITECTURES)
    set(arg_ARCHITECTURES avx2 avx512)
  endif()
  set(flags_avx2 -march=x86-64-v3)
  set(flags_avx2_vnni -march=x86-64-v3 -mavxvnni)
  set(flags_avx512 -march=x86-64-v4)
  set(flags_avx512_vnni -march=x86-64-v4 -mavx512vnni)
  set(flags_avx512_bf16 -march=x86-64-v4 -mavx512bf16 -mavx512vnni)
  foreach(architecture IN LISTS arg_ARCHITECTURES)
    if(NOT DEFINED flags_${architecture})
      message(FATAL_ERROR "dimity_dispatch: ${architecture} is none of avx2, avx2_vnni, avx512, avx512_vnni, avx512_bf16")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES arg_ARCHITECTURES)

  target_sources(${target} PRIVATE ${arg_SOURCES})
  if(NOT DEFINED DIMITY_CAN_DISPATCH)
    set(possible FALSE)
    if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8
       AND CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang)$")
      set(possible TRUE)
      # CMake's own choice beside clang are LLVM's tools, which do not all know what is needed. Any linker may link the program.
      foreach(tool ld objcopy objdump)
        string(TOUPPER "DIMITY_GNU_${tool}" variable)
        find_program(${variable} NAMES ${CMAKE_LIBRARY_ARCHITECTURE}-${tool} ${tool}.bfd ${tool} DOC "${tool} of GNU binutils, for dimity_dispatch")
        set(version "")
        if(${variable})
          execute_process(COMMAND "${${variable}}" --version OUTPUT_VARIABLE version ERROR_QUIET)
        endif()
        if(NOT version MATCHES "^GNU ${tool}")
          set(possible FALSE)
        endif()
      endforeach()
    endif()
    set(DIMITY_CAN_DISPATCH "${possible}" CACHE BOOL "Whether dimity_dispatch compiles for several instruction sets: needs Linux, x86-64, g++ or clang, and GNU binutils")
  endif()
  if(NOT DIMITY_CAN_DISPATCH)
    message(STATUS "dimity_dispatch: ${target} is compiled for one instruction set (DIMITY_CAN_DISPATCH is off)")
    return()
  endif()

  list(TRANSFORM arg_ARCHITECTURES TOUPPER OUTPUT_VARIABLE versions)
  list(TRANSFORM versions REPLACE "(.+)" "$<$<STREQUAL:$<TARGET_PROPERTY:NAME>,${target}>:DIMITY_DISPATCH_\\1>")
  set_property(SOURCE ${arg_SOURCES} APPEND PROPERTY COMPILE_DEFINITIONS ${versions})
  # A dispatched function is an inline one to the compiler, which must not hide it on that account.
  set_property(SOURCE ${arg_SOURCES} APPEND PROPERTY COMPILE_OPTIONS -fno-visibility-inlines-hidden)
  set_property(SOURCE ${arg_SOURCES} PROPERTY SKIP_UNITY_BUILD_INCLUSION ON)

  get_target_property(calls ${target} DIMITY_DISPATCH_CALLS)
  if(NOT calls)
    set(calls 0)
  endif()
  math(EXPR calls "${calls} + 1")
  set_target_properties(${target} PROPERTIES DIMITY_DISPATCH_CALLS ${calls})

  get_target_property(type ${target} TYPE)
  foreach(architecture IN LISTS arg_ARCHITECTURES)
    set(version "${target}_dispatched_${calls}_${architecture}")
    add_library(${version} OBJECT EXCLUDE_FROM_ALL ${arg_SOURCES})
    foreach(property CXX_STANDARD CXX_STANDARD_REQUIRED CXX_EXTENSIONS POSITION_INDEPENDENT_CODE)
      get_target_property(value ${target} ${property})
      if(NOT value MATCHES "-NOTFOUND$")
        set_target_properties(${version} PROPERTIES ${property} "${value}")
      endif()
    endforeach()
    if(type MATCHES "^(SHARED|MODULE)_LIBRARY$")
      set_target_properties(${version} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    endif()
    # What the linker optimises as a whole has no functions yet that could be made local; nor can symbols that are unique to the process.
    set_target_properties(${version} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF UNITY_BUILD OFF)
    target_link_libraries(${version} PRIVATE $<TARGET_PROPERTY:${target},LINK_LIBRARIES>)
    target_include_directories(${version} PRIVATE $<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>)
    target_compile_definitions(${version} PRIVATE $<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS> DIMITY_ARCHITECTURE=${architecture})
    target_compile_features(${version} PRIVATE $<TARGET_PROPERTY:${target},COMPILE_FEATURES>)
    target_compile_options(${version} PRIVATE $<TARGET_PROPERTY:${target},COMPILE_OPTIONS> ${flags_${architecture}} -fno-lto $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)

    set(object "${CMAKE_CURRENT_BINARY_DIR}/dimity_dispatch/${version}.o")
    get_property(several_configurations GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
    if(several_configurations)
      set(object "${CMAKE_CURRENT_BINARY_DIR}/dimity_dispatch/$<CONFIG>/${version}.o")
    endif()
    file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/dimity_dispatch")
    add_custom_command(
      OUTPUT "${object}"
      COMMAND "${CMAKE_COMMAND}" "-DLINKER=${DIMITY_GNU_LD}" "-DOBJDUMP=${DIMITY_GNU_OBJDUMP}" "-DOBJCOPY=${DIMITY_GNU_OBJCOPY}" -DARCHITECTURE=${architecture}
              "-DOBJECTS=$<TARGET_OBJECTS:${version}>" "-DOUTPUT=${object}" -P "${CMAKE_CURRENT_FUNCTION_LIST_FILE}"
      DEPENDS ${version} $<TARGET_OBJECTS:${version}> "${CMAKE_CURRENT_FUNCTION_LIST_FILE}"
      COMMENT "Making ${architecture} code local for ${target}"
      VERBATIM)
    target_sources(${target} PRIVATE "${object}")
    if(NOT several_configurations)
      set_source_files_properties("${object}" PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
    endif()
  endforeach()
endfunction()
