-- Recurrent and attention layers: checked as all layers are.

return require "spec.conformance.kinds.layer"
