#include <dimity/dimity.hpp>
