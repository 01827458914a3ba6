// budget: 1.5 s
#include <dimity/dimity.hpp>
