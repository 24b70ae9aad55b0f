"""What three.js shows of a model, run in Node."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.support.requirements import NODE_MODULES

# What three.js's DRACOLoader does in a worker of the browser, without one.
_DRACO_LOADER = """
    const folder = 'node_modules/three/examples/jsm/libs/draco/gltf/';
    const source = readFileSync(folder + 'draco_decoder.js') + '; return DracoDecoderModule;';
    const require = (await import('module')).createRequire(process.cwd() + '/');
    const draco = await new Function('require', '__dirname', source)(require, folder)();
    const loader = {
      preload() { return this; },
      async decodeDracoFile(buffer, done, ids, types) {
        const decoder = new draco.Decoder(), mesh = new draco.Mesh(), bytes = new Int8Array(buffer);
        decoder.DecodeArrayToMesh(bytes, bytes.length, mesh);
        const geometry = new three.BufferGeometry();
        const read = (Type, count, fill) => {
          const at = draco._malloc(count * Type.BYTES_PER_ELEMENT);
          fill(count * Type.BYTES_PER_ELEMENT, at);
          return new Type(draco.HEAPF32.buffer, at, count).slice();
        };
        for (const [name, id] of Object.entries(ids)) {
          const held = decoder.GetAttributeByUniqueId(mesh, id), width = held.num_components();
          const kinds = { Float32Array: 'DT_FLOAT32', Uint8Array: 'DT_UINT8', Uint16Array: 'DT_UINT16' };
          const values = read(globalThis[types[name]], width * mesh.num_points(), (length, at) =>
            decoder.GetAttributeDataArrayForAllPoints(mesh, held, draco[kinds[types[name]]], length, at));
          geometry.setAttribute(name, new three.BufferAttribute(values, width));
        }
        const faces = read(Uint32Array, 3 * mesh.num_faces(), (length, at) =>
          decoder.GetTrianglesUInt32Array(mesh, length, at));
        geometry.setIndex(new three.BufferAttribute(faces, 1));
        done(geometry);
      },
    };
"""


def as_three_shows_it(path: Path) -> dict[str, list[list[float]]]:
    """The scene's box in three.js, which draws for <model-viewer>: at rest, and at the animation's end."""
    program = """
        globalThis.self = globalThis;
        globalThis.ProgressEvent = class {};
        const three = await import('three');
        const { GLTFLoader } = await import('three/examples/jsm/loaders/GLTFLoader.js');
        const { readFileSync } = await import('fs');
        LOADER
        const content = readFileSync(process.argv[1]);
        const gltf = await new GLTFLoader().setDRACOLoader(loader)
          .parseAsync(new Uint8Array(content).buffer, '');
        const box = () => {
          gltf.scene.updateMatrixWorld(true);
          const found = new three.Box3().setFromObject(gltf.scene, true);
          return [found.min.toArray(), found.max.toArray()];
        };
        const rest = box();
        const mixer = new three.AnimationMixer(gltf.scene);
        mixer.clipAction(gltf.animations[0]).setLoop(three.LoopOnce).play().clampWhenFinished = true;
        mixer.update(5);
        console.log(JSON.stringify({ rest, end: box() }));
    """
    program = program.replace("LOADER", _DRACO_LOADER)
    command = ["node", "--input-type=module", "-e", program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=NODE_MODULES.parent)
    assert done.returncode == 0, done.stderr
    shown: dict[str, list[list[float]]] = json.loads(done.stdout)
    return shown
