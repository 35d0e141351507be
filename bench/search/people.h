/* Synthetic people and questions, from a seed: the same for every engine, made one at a time, since
 * a million of them need not lie in memory beside the indexes. */
#ifndef LYC_BENCH_PEOPLE_H
#define LYC_BENCH_PEOPLE_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "search/engines.h"

namespace bench
{

struct random {
	uint64_t state;
	uint64_t next();
	/* From 0 to 1. */
	double unit();
};

struct person {
	std::string id, name, organisation, region;
	std::vector<std::string> titles;
	int kind;
	bool is_private;

	std::string text() const;
};

class people
{
      public:
	/* The next one; always the same after the same number of calls. */
	person next();

      private:
	random source{88172645463325252ULL};
	size_t made = 0;
};

using question = std::vector<std::string>;
/* Two of the two hundred most frequent words each. */
const std::vector<question> &questions();

class base
{
      public:
	virtual ~base() = default;
	virtual void put(const person &one, size_t number) = 0;
	/* No more come. */
	virtual void finish()
	{
	}
	virtual double bytes() = 0;
	virtual bool ask(const question &words, bool with_all) = 0;
};

/* They throw std::runtime_error. */
std::unique_ptr<base> make_ours();
std::unique_ptr<base> make_xapian(const std::string &folder);
std::unique_ptr<base> make_sqlite();
std::unique_ptr<base> make_postings();

} // namespace bench

#endif
