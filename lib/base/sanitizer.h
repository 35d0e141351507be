/* Is this built with the address sanitizer? gcc and clang say so in different words. */
#ifndef LYC_BASE_SANITIZER_H
#define LYC_BASE_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ADDRESS_SANITIZER 1
#endif
#endif
#ifndef WITH_ADDRESS_SANITIZER
#define WITH_ADDRESS_SANITIZER 0
#endif

#endif
