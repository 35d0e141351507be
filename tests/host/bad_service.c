/* A plugin whose schema is somebody else's. */
#define BAD_SCHEMA other_schema
#define BAD_SCHEMA_LEN (sizeof(other_schema) - 1)
/* file { name "a.proto" package "a" syntax "proto3" } */
static const unsigned char other_schema[] = "\n\x14\n\x07"
					    "a.proto\x12\x01"
					    "ab\x06proto3";
#include "bad.h"
