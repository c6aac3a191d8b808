# What every target of ours is compiled with.
add_library(kem_options INTERFACE)
target_compile_options(kem_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
  $<$<CXX_COMPILER_ID:Clang>:-Wreserved-identifier>)
# In sources compiled together gcc takes a type of an anonymous namespace for one
# of a header.
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(kem_options INTERFACE -Wno-subobject-linkage)
endif()
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

# Link-time optimization takes a tenth off the idle memory. Only the exporter is
# linked with it. With tests the layers contain machine code as well, so that each
# test links in a second.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(kem_options INTERFACE -ffunction-sections
    -fdata-sections)
  target_link_options(kem_options INTERFACE -Wl,--gc-sections)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    if(KEM_TESTS)
      set(kem_lto_compile -flto=auto -ffat-lto-objects)
    else()
      set(kem_lto_compile -flto=auto -fno-fat-lto-objects)
      set(CMAKE_AR ${CMAKE_CXX_COMPILER_AR})
      set(CMAKE_RANLIB ${CMAKE_CXX_COMPILER_RANLIB})
    endif()
    # Only the linker sees that two files use one name for different types.
    set(kem_lto_link -flto=auto -Werror=odr -Werror=lto-type-mismatch)
  endif()
endif()
