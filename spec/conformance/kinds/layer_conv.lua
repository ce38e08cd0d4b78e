-- Convolution, pooling, padding and upsampling: checked as all layers are.

return require "spec.conformance.kinds.layer"
