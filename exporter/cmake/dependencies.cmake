# The only file that looks for packages; all of them are in Debian 12 and 13.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(simdjson REQUIRED)
find_package(SQLite3 REQUIRED)
# prometheus-cpp's CMake config insists on civetweb and curl even for core.
pkg_check_modules(PROMETHEUS_CPP REQUIRED IMPORTED_TARGET prometheus-cpp-core)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
# Headers only, for protobuf, without a CMake config.
find_path(KEM_PROTOZERO_INCLUDE protozero/pbf_writer.hpp REQUIRED)
add_library(protozero::protozero INTERFACE IMPORTED)
target_include_directories(protozero::protozero INTERFACE
  ${KEM_PROTOZERO_INCLUDE})
# RE2 has no CMake config. Its pkg-config file in Debian 13 requires so many
# modules of Abseil that pkg-config runs for minutes.
find_path(KEM_RE2_INCLUDE re2/re2.h REQUIRED)
add_library(re2::re2 UNKNOWN IMPORTED)
if(KEM_STATIC_RE2)
  # The program contains what it uses of both, about a third of their libraries.
  find_library(KEM_RE2_LIBRARY libre2.a REQUIRED)
  cmake_path(GET KEM_RE2_LIBRARY PARENT_PATH re2_folder)
  file(GLOB abseil ${re2_folder}/libabsl_*.a)
  target_link_libraries(re2::re2 INTERFACE
    -Wl,--start-group ${abseil} -Wl,--end-group)
else()
  find_library(KEM_RE2_LIBRARY re2 REQUIRED)
endif()
set_target_properties(re2::re2 PROPERTIES IMPORTED_LOCATION ${KEM_RE2_LIBRARY}
  INTERFACE_INCLUDE_DIRECTORIES ${KEM_RE2_INCLUDE})
# The HTTP client of the web server's tests. Debian's package has no CMake
# config, and its macros (OpenSSL, zlib) must reach every file that includes
# httplib.h.
if(KEM_TESTS)
  pkg_check_modules(CPP_HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)
endif()
