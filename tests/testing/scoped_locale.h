// Sets a locale for C and C++ until the end of the scope that formats 1.5 as
// 1,5 and 1000 as 1.000: German, or a hand-made equivalent on systems without
// it. Used to test that no output depends on the locale.
#pragma once

#include <clocale>
#include <locale>
#include <string>

namespace kem {

class ScopedGermanLocale {
 public:
  ScopedGermanLocale() : c_before_(std::setlocale(LC_ALL, nullptr)) {
    std::setlocale(LC_ALL, "de_DE.UTF-8");
    before_ = std::locale::global(std::locale(std::locale(), new Numbers));
  }
  ~ScopedGermanLocale() {
    std::locale::global(before_);
    std::setlocale(LC_ALL, c_before_.c_str());
  }
  ScopedGermanLocale(const ScopedGermanLocale&) = delete;
  ScopedGermanLocale& operator=(const ScopedGermanLocale&) = delete;

 private:
  struct Numbers : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };

  std::string c_before_;
  std::locale before_;
};

}  // namespace kem
