-- Runs Busted inside this interpreter: nnlua tools/busted.lua [busted's options] spec
require "busted.runner" {standalone = false}
