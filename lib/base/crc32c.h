/* CRC-32C (Castagnoli), the checksum of records and segments. Source: RFC 3720, appendix B.4. */
#ifndef LYC_BASE_CRC32C_H
#define LYC_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of `bytes` continued from `crc` (0 to start). Any thread. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);

#endif
