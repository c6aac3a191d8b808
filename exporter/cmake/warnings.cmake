# What every target of ours is compiled with.
add_library(kem_options INTERFACE)
target_compile_options(kem_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
  $<$<CXX_COMPILER_ID:Clang>:-Wreserved-identifier>)
target_compile_definitions(kem_options INTERFACE _GLIBCXX_ASSERTIONS)
target_include_directories(kem_options INTERFACE ${PROJECT_SOURCE_DIR}/exporter)

if(KEM_SANITIZE STREQUAL "address")
  set(kem_sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(KEM_SANITIZE STREQUAL "thread")
  set(kem_sanitizers -fsanitize=thread)
elseif(KEM_SANITIZE)
  message(FATAL_ERROR "KEM_SANITIZE is '${KEM_SANITIZE}': use address or thread")
endif()
if(kem_sanitizers)
  target_compile_options(kem_options INTERFACE ${kem_sanitizers}
    -fno-omit-frame-pointer)
  target_link_options(kem_options INTERFACE ${kem_sanitizers})
endif()

# The smallest and fastest of what gcc and clang can make of it: link-time
# optimisation takes a tenth off the idle memory.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  include(CheckIPOSupported)
  check_ipo_supported(RESULT kem_ipo LANGUAGES CXX)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${kem_ipo})
  target_compile_options(kem_options INTERFACE -ffunction-sections
    -fdata-sections)
  target_link_options(kem_options INTERFACE -Wl,--gc-sections)
  # Only the linker sees that two files mean different types by one name.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_link_options(kem_options INTERFACE -Werror=odr
      -Werror=lto-type-mismatch)
  endif()
endif()
